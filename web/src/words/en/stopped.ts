// English: a site that does not answer.
export const stopped = {
  title: 'The site stopped',
  text: 'Start it again in the terminal with npm start. Nothing is lost: what was stored lies at its locations.',
  again: 'This page tries again by itself.',
  back: 'The site is back.',
  short: 'The site does not answer.',
}
