// English: trying a place before it is used.
export const probe = {
  last: 'Last tried',
  up: 'Writing, 1 MiB',
  down: 'Reading, 1 MiB',
  perSecond: (size: string): string => `${size} per second`,
  unmeasured: 'not measured: what is written there stays',
  promises: 'What it can do',
  lost: 'It kept these promises before, and keeps them no longer:',
  noVote: 'It has no vote any more on which state of the vault is the newest.',
  todo: 'Find out what changed there. When it is right again, try it out.',
}
