// What a person may want to do with entries; each has a dialog.
import type { Entry } from '#contract'

export type Deed =
  | { readonly kind: 'folder'; readonly in: string }
  | { readonly kind: 'rename'; readonly entry: Entry }
  | { readonly kind: 'move' | 'copy'; readonly entries: readonly Entry[] }
  | { readonly kind: 'remove'; readonly entries: readonly Entry[] }
  | { readonly kind: 'moment' | 'keeping' | 'import' | 'grants'; readonly path: string }
  | { readonly kind: 'remove-version'; readonly entry: Entry; readonly version: number }

export type Doing = (deed: Deed) => void
