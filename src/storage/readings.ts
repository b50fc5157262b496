// Names that a change has replaced stay at their locations until those who read them are done.
export class Readings {
  /** How many read a dealing now. */
  readonly #reading = new Map<string, number>()
  /** By dealing, what it was under before: location and name. */
  readonly #replaced = new Map<string, ReadonlySet<string>>()
  readonly #settled: () => void

  /** `settled` is called when names need no longer wait. */
  constructor(settled: () => void) {
    this.#settled = settled
  }

  /** Somebody begins to read the dealing; what it answers is called when they are done. */
  begin(deal: string): () => void {
    this.#reading.set(deal, (this.#reading.get(deal) ?? 0) + 1)
    let left = false
    return () => {
      if (left) return
      left = true
      const others = this.#reading.get(deal)! - 1
      if (others > 0) this.#reading.set(deal, others)
      else {
        this.#reading.delete(deal)
        this.settle(deal)
      }
    }
  }

  /** Call before the rows of a dealing are replaced, and `settle` after: who reads the old names until then may go on. */
  replacing(deal: string, names: readonly { readonly location: string; readonly name: string | null }[]): void {
    this.#replaced.set(deal, new Set([...(this.#replaced.get(deal) ?? []), ...names.map(({ location, name }) => `${location} ${name}`)]))
  }

  settle(deal: string): void {
    if (!this.#reading.has(deal) && this.#replaced.delete(deal)) this.#settled()
  }

  /** True while the name was replaced and somebody may still read under it. */
  isRead(location: string, name: string): boolean {
    for (const names of this.#replaced.values()) if (names.has(`${location} ${name}`)) return true
    return false
  }
}
