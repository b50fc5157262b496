// Names on the reader's computer. What stands in META or the catalogue is a wish, never a path.

const DEVICES = /^(?:con|prn|aux|nul|clock\$|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])(?:\.|$)/i
const UNSAFE_FOLDER = 'unsafe-names'

/** The names along a path of the vault, or undefined when one of them is hostile on some computer. */
export function safeParts(path: string): string[] | undefined {
  const parts = path.replace(/^\//, '').split('/')
  const safe = parts.every(
    (part) =>
      part !== '' &&
      part !== '.' &&
      part !== '..' &&
      new TextEncoder().encode(part).length <= 240 &&
      part.isWellFormed() &&
      // oxlint-disable-next-line no-control-regex
      !/[\u0000-\u001f\u007f\\<>:"|?*]/.test(part) &&
      !/[. ]$/.test(part) &&
      !DEVICES.test(part.replace(/ +$/, '')) &&
      !DEVICES.test(part.split('.')[0]!.replace(/ +$/, '')),
  )
  return safe && parts.length <= 100 && path.length <= 3000 ? parts : undefined
}

/** Gives every path of the vault a name of its own, also where upper and lower case are one. */
export class Namer {
  readonly #taken = new Set<string>()

  /** `hostile`: the wish was not used, and why is to be told. */
  name(path: string, id: string): { readonly parts: readonly string[]; readonly hostile: boolean } {
    const wished = safeParts(path)
    const parts = wished ?? [UNSAFE_FOLDER, id]
    const folder = parts.slice(0, -1)
    const last = parts[parts.length - 1]!
    for (let number = 1; ; number++) {
      const one = [...folder, numbered(last, number)]
      const folded = one.join('/').normalize('NFC').toLowerCase().normalize('NFC')
      if (this.#taken.has(folded)) continue
      this.#taken.add(folded)
      return { parts: one, hostile: wished === undefined }
    }
  }
}

function numbered(name: string, number: number): string {
  if (number === 1) return name
  const dot = name.lastIndexOf('.')
  return dot > 0 ? `${name.slice(0, dot)} (${number})${name.slice(dot)}` : `${name} (${number})`
}
