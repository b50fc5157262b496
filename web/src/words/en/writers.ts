// English: sites that write to one vault.
export const writers = {
  title: 'Sites that write to this vault',
  alone: 'Only this site writes to the vault. Another site, with a machine and keys of its own, can write to it as well.',
  several: 'These sites write to the vault, and each follows the others. When two change the same file at once, both versions are kept.',
  dealer: 'The site of the recovery sheet',
  own: 'this site',
  removed: 'was removed, writes no more',
  copy: (name: string): string => `Copy the fingerprint of ${name}`,
  copied: 'copied',
  add: 'Let a site write',
  addText:
    'On the other site run “quorate writer key” and paste the line it prints. Compare the fingerprint with the person there by voice. Then that site joins with “quorate join”.',
  name: 'What people call the site',
  line: 'Its key line',
  added: (name: string): string => `${name} may write to the vault`,
  remove: (name: string): string => `Take ${name} off the list`,
  removeText:
    'It can write no more, for good. What it stored stays readable. Change the access keys of the locations, too, if it should not read any longer.',
  acknowledge: 'I have seen to it',
}
