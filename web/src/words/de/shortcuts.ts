// Deutsch: Tastenkürzel.
import type { Words } from '../en.ts'

export const shortcuts: Words['shortcuts'] = {
  title: 'Tastenkürzel',
  text: 'Einzelne Tasten wirken, solange kein Textfeld den Fokus hat.',
  enabled: 'Kürzel mit einzelnen Tasten',
  list: {
    help: 'Diese Liste zeigen',
    search: 'Diesen Ordner filtern',
    upload: 'Dateien hochladen',
    folder: 'Neuer Ordner',
    files: 'Zu den Dateien',
    locations: 'Zu den Orten',
    up: 'Einen Ordner höher',
    rows: 'In der Liste auf und ab',
    ends: 'Erste und letzte Zeile',
    open: 'Ordner öffnen, oder Einzelheiten der Datei',
    view: 'Die Datei im Betrachter öffnen',
    beside: 'Im Betrachter: vorige und nächste Datei',
    select: 'Zeile auswählen',
    rename: 'Umbenennen',
    remove: 'Entfernen',
    close: 'Einzelheiten oder Dialog schließen',
  },
  keys: { enter: 'Eingabe', space: 'Leertaste', del: 'Entf', esc: 'Esc', home: 'Pos1', end: 'Ende', alt: 'Alt' },
}
