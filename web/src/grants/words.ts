// Words of the dialog of grants; loaded with it.
import type { Right } from '#contract'
import { useSpeech } from '../words/words.tsx'

interface GrantWords {
  readonly title: (name: string) => string
  readonly lead: string
  readonly nobody: string
  readonly none: string
  readonly given: string
  readonly add: string
  readonly who: string
  readonly whoHint: string
  readonly noMatch: string
  readonly what: string
  readonly rights: Readonly<Record<Right, string>>
  readonly explained: Readonly<Record<Right, string>>
  readonly until: string
  readonly untilHint: string
  readonly give: string
  readonly takeBack: string
  readonly takeBackOf: (name: string) => string
  readonly rightOf: (name: string) => string
  readonly gave: (name: string) => string
  readonly took: (name: string) => string
  readonly person: string
  readonly group: string
  readonly inherited: (folder: string) => string
  readonly ends: (date: string) => string
  readonly unknown: string
  readonly close: string
}

const en: GrantWords = {
  title: (name) => `Who may open ${name}`,
  lead: 'A grant holds for a file, or for a folder with all below. Each opening is noted in the audit log. Without a grant nothing opens.',
  nobody: 'Nobody was given this yet',
  none: 'Only data stewards and the person at the machine can open it. Give it to a person or a group below.',
  given: 'Given to',
  add: 'Give it to somebody',
  who: 'Person or group',
  whoHint: 'Type a part of the name.',
  noMatch: 'Nobody of this name. An administrator invites people.',
  what: 'Right',
  rights: { read: 'Read', write: 'Change', manage: 'Manage' },
  explained: {
    read: 'list and open',
    write: 'also store, rename, move, remove into the trash',
    manage: 'also grant, set how long things are kept, remove for good',
  },
  until: 'Until (optional)',
  untilHint: 'Ends by itself at the beginning of that day.',
  give: 'Give',
  takeBack: 'Take back',
  takeBackOf: (name) => `Take back what ${name} was given`,
  rightOf: (name) => `Right of ${name}`,
  gave: (name) => `${name} was given the right.`,
  took: (name) => `${name} has the right no more. What is open ends within a second.`,
  person: 'person',
  group: 'group',
  inherited: (folder) => `by the folder ${folder}`,
  ends: (date) => `until ${date}`,
  unknown: 'somebody whom this site does not know',
  close: 'Close',
}

const de: GrantWords = {
  title: (name) => `Wer ${name} öffnen darf`,
  lead: 'Eine Freigabe gilt für eine Datei oder für einen Ordner mit allem darin. Jedes Öffnen wird im Prüfprotokoll vermerkt. Ohne Freigabe öffnet sich nichts.',
  nobody: 'Noch niemandem freigegeben',
  none: 'Nur Datenverwalter und die Person an der Maschine können es öffnen. Geben Sie es unten einer Person oder Gruppe frei.',
  given: 'Freigegeben für',
  add: 'Jemandem freigeben',
  who: 'Person oder Gruppe',
  whoHint: 'Geben Sie einen Teil des Namens ein.',
  noMatch: 'Niemand mit diesem Namen. Eine Administratorin lädt Personen ein.',
  what: 'Recht',
  rights: { read: 'Lesen', write: 'Ändern', manage: 'Verwalten' },
  explained: {
    read: 'auflisten und öffnen',
    write: 'auch speichern, umbenennen, verschieben, in den Papierkorb legen',
    manage: 'auch freigeben, Aufbewahrung festlegen, endgültig löschen',
  },
  until: 'Bis (freiwillig)',
  untilHint: 'Endet von selbst zu Beginn dieses Tages.',
  give: 'Freigeben',
  takeBack: 'Zurücknehmen',
  takeBackOf: (name) => `Freigabe für ${name} zurücknehmen`,
  rightOf: (name) => `Recht von ${name}`,
  gave: (name) => `Für ${name} freigegeben.`,
  took: (name) => `${name} hat das Recht nicht mehr. Was offen ist, endet binnen einer Sekunde.`,
  person: 'Person',
  group: 'Gruppe',
  inherited: (folder) => `durch den Ordner ${folder}`,
  ends: (date) => `bis ${date}`,
  unknown: 'jemand, den diese Stelle nicht kennt',
  close: 'Schließen',
}

export function useGrantWords(): GrantWords {
  return { en, de }[useSpeech().language]
}
