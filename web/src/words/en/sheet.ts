// English: the recovery sheet.

export const sheet = {
  title: 'Your recovery sheet',
  made: 'The vault is ready',
  lead: 'Print this and keep it where you keep contracts. It holds no secret: whoever finds it can open nothing.',
  vault: 'Vault',
  rule: 'Rule',
  ruleText: (k: number, n: number): string => `any ${k} of ${n} locations open a file`,
  layout: 'Layout',
  created: 'Made',
  locations: 'Locations',
  dealer: 'Fingerprint of the dealer',
  dealerHint: 'Tells a genuine vault from a forged one. Compare it when you restore.',
  how: 'If this computer is lost',
  howText: (k: number): string =>
    `On any computer with Python, with ${k} of the locations as folders (or downloaded buckets), and without any software of ours running:`,
  or: 'Or start Quorate on another computer and choose “Bring it back from its locations”.',
  notes: 'Notes (where are the access keys and the passphrase kept?)',
  print: 'Print',
  go: 'Go to the files',
  show: 'Recovery sheet',
}
