// Deutsch: Dateien benennen, verschieben, entfernen.
import type { Words } from '../en.ts'
import { eintraege } from './counts.ts'

export const dialogs: Words['dialogs'] = {
  newFolder: 'Neuer Ordner',
  folderName: 'Name des Ordners',
  create: 'Anlegen',
  rename: (name) => `${name} umbenennen`,
  newName: 'Neuer Name',
  moveTitle: (n, name) => (n === 1 ? `${name} verschieben` : `${eintraege(n)} verschieben`),
  copyTitle: (n, name) => (n === 1 ? `${name} kopieren` : `${eintraege(n)} kopieren`),
  where: 'Wohin?',
  here: (folder) => `Nach ${folder}`,
  up: 'Einen Ordner höher',
  noFolders: 'Hier sind keine Ordner.',
  copyName: 'Name der Kopie',
  copyCheap: 'Eine Kopie kostet keinen Platz: Sie zeigt auf dieselben Fragmente.',
  removeTitle: (n, name) => (n === 1 ? `${name} entfernen?` : `${eintraege(n)} entfernen?`),
  removeFile: 'Die Datei kommt mit allen Versionen in den Papierkorb und lässt sich von dort zurückholen.',
  removeFolder: 'Der Ordner kommt mit allem darin in den Papierkorb und lässt sich von dort zurückholen.',
  removeMany: 'Alles kommt in den Papierkorb und lässt sich von dort zurückholen.',
  removing: 'Wird entfernt',
  replace: 'Etwas mit diesem Namen gibt es dort schon.',
  replaceYes: 'Ersetzen',
  nameEmpty: 'Geben Sie einen Namen ein.',
  nameSlash: 'Ein Name darf keinen Schrägstrich enthalten.',
  nameDots: 'Dieser Name ist nicht möglich.',
  done: {
    moved: (n) => `${eintraege(n)} verschoben.`,
    copied: (n) => `${eintraege(n)} kopiert.`,
    removed: (name) => `${name} entfernt.`,
    renamed: (name) => `Umbenannt in ${name}.`,
    made: (name) => `Ordner ${name} angelegt.`,
  },
}
