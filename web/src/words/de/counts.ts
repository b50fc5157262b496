// Wie viele wovon, auf Deutsch.
export const zahl = (n: number): string => n.toLocaleString('de')
export const dateien = (n: number): string => (n === 1 ? '1 Datei' : `${zahl(n)} Dateien`)
export const fragmente = (n: number): string => (n === 1 ? '1 Fragment' : `${zahl(n)} Fragmente`)
export const eintraege = (n: number): string => (n === 1 ? '1 Eintrag' : `${zahl(n)} Einträge`)

export const darfFehlen = (n: number): string =>
  n === 0 ? 'kein Ort darf fehlen' : n === 1 ? '1 Ort darf fehlen' : `${zahl(n)} Orte dürfen fehlen`
