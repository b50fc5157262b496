// Deutsch: wenn Quorate nicht antwortet.
import type { Words } from '../en.ts'

export const stopped: Words['stopped'] = {
  title: 'Quorate läuft nicht mehr',
  text: 'Starten Sie es im Terminal wieder mit npm start. Nichts ist verloren: Gespeichertes liegt an seinen Orten.',
  again: 'Diese Seite versucht es von selbst weiter.',
  back: 'Quorate läuft wieder.',
  short: 'Quorate antwortet nicht.',
}
