// English: the way to recovery.
export const recover = {
  title: 'Bring a vault back',
  text: 'Name its locations, in any order. As many as the threshold says are enough: the vault itself tells where the others are. For one that is gone name a new, empty folder, and then all the others too; Repair fills it.',
  kitTitle: 'Restore from a recovery kit',
  kitText:
    'The kit tells which locations the vault has and whose keys signed it. Its files are looked at in this page; nothing leaves this computer but what is asked of the locations.',
  start: 'Bring it back',
  passphrase: 'Passphrase of the signing keys, if it had one',
  done: 'The vault is back.',
  back: 'Make a new vault instead',
}
