// Filter and order of a listed folder.
import type { Entry } from '#contract'

export type Column = 'name' | 'size' | 'modified'

export interface Order {
  readonly column: Column
  readonly descending: boolean
}

/** Entries whose name contains what was typed, whatever its case and accents. */
export function filtered(entries: readonly Entry[], typed: string): readonly Entry[] {
  const wanted = fold(typed.trim())
  return wanted === '' ? entries : entries.filter((entry) => fold(entry.name).includes(wanted))
}

/** Folders first; within them by the column. Without an order the site's own order stays, folders first. */
export function ordered(entries: readonly Entry[], order: Order | undefined, locale: string): readonly Entry[] {
  const collator = new Intl.Collator(locale, { numeric: true })
  const rank = (entry: Entry): number => (entry.kind === 'folder' ? 0 : 1)
  const compare = (a: Entry, b: Entry): number => {
    switch (order?.column) {
      case undefined:
        return 0
      case 'name':
        return collator.compare(a.name, b.name)
      case 'size':
        return a.size - b.size
      case 'modified':
        return a.modified < b.modified ? -1 : a.modified > b.modified ? 1 : 0
    }
  }
  const sign = order?.descending === true ? -1 : 1
  return entries.toSorted((a, b) => rank(a) - rank(b) || sign * compare(a, b))
}

function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
}
