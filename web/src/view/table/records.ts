// Records and fields of separated text (RFC 4180 and its cousins). Fields are text and stay text: no formula is ever looked at.

export type Separator = ',' | ';' | '\t' | '|' | ' '

export interface Dialect {
  readonly separator: Separator
  /** Fields may stand in double quotes. */
  readonly quotes: boolean
}

export const SEPARATORS: readonly Separator[] = [',', ';', '\t', '|']
/** Longer records are cut: a quote that is never closed must not swallow the file. */
export const RECORD_BYTES_MAX = 2 ** 20

const QUOTE = 34
const LINE = 10
const RETURN = 13
const GUESS_RECORDS = 40

/** Finds the ends of records in pieces that follow each other. */
export class RecordEnds {
  readonly #dialect: Dialect
  readonly #separator: number
  #quoted = false
  /** The byte before ended the quotes: another quote is one of the field. */
  #left = false
  #fieldStart = true
  #length = 0

  constructor(dialect: Dialect) {
    this.#dialect = dialect
    this.#separator = dialect.separator.charCodeAt(0)
  }

  /** Index behind the next record's line end at or after `from`; -1 when the piece ends first. */
  next(bytes: Uint8Array, from: number): number {
    if (!this.#dialect.quotes) {
      const found = bytes.indexOf(LINE, from)
      const end = found === -1 ? bytes.length : found + 1
      const most = from + RECORD_BYTES_MAX - this.#length
      if (end > most) {
        this.#length = 0
        return most
      }
      this.#length = found === -1 ? this.#length + bytes.length - from : 0
      return found === -1 ? -1 : end
    }
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at]!
      if (++this.#length >= RECORD_BYTES_MAX) {
        this.#begin()
        return at + 1
      }
      if (this.#quoted) {
        if (byte === QUOTE) {
          this.#quoted = false
          this.#left = true
        }
        continue
      }
      if (byte === LINE) {
        this.#begin()
        return at + 1
      }
      if (byte === QUOTE && (this.#fieldStart || this.#left)) this.#quoted = true
      this.#left = false
      this.#fieldStart = byte === this.#separator
    }
    return -1
  }

  /** True when a record has begun and not ended. */
  get open(): boolean {
    return this.#length > 0
  }

  #begin(): void {
    this.#quoted = false
    this.#left = false
    this.#fieldStart = true
    this.#length = 0
  }
}

/** The fields of one record; its line end may be there or not. */
export function fieldsOf(record: string, { separator, quotes }: Dialect): string[] {
  const text = record.replace(/\r?\n$|\r$/, '')
  if (!quotes || !text.includes('"')) return text.split(separator)
  const fields: string[] = []
  let at = 0
  for (;;) {
    if (text[at] !== '"') {
      const end = text.indexOf(separator, at)
      if (end === -1) return [...fields, text.slice(at)]
      fields.push(text.slice(at, end))
      at = end + 1
      continue
    }
    let field = ''
    let from = at + 1
    for (;;) {
      const quote = text.indexOf('"', from)
      if (quote === -1) return [...fields, field + text.slice(from)]
      field += text.slice(from, quote)
      if (text[quote + 1] !== '"') {
        from = quote + 1
        break
      }
      field += '"'
      from = quote + 2
    }
    const end = text.indexOf(separator, from)
    if (end === -1) return [...fields, field + text.slice(from)]
    fields.push(field + text.slice(from, end))
    at = end + 1
  }
}

/** The records of a text that may be cut off at its end. */
export function recordsOf(text: string, dialect: Dialect, most: number): string[][] {
  const bytes = new TextEncoder().encode(text)
  const ends = new RecordEnds(dialect)
  const records: string[][] = []
  let at = 0
  while (at < bytes.length && records.length < most) {
    const end = ends.next(bytes, at)
    if (end === -1) break
    records.push(fieldsOf(new TextDecoder().decode(bytes.subarray(at, end)), dialect))
    at = end
  }
  if (records.length === 0 && bytes.length > 0) records.push(fieldsOf(text, dialect))
  return records
}

/** The separator under which the first records have the same number of fields, and the most of them. */
export function guessSeparator(start: string): Separator {
  let best: { readonly separator: Separator; readonly score: number } = { separator: ',', score: 0 }
  for (const separator of SEPARATORS) {
    const records = recordsOf(start, { separator, quotes: true }, GUESS_RECORDS).filter((fields) => fields.length > 1 || fields[0] !== '')
    const fields = records[0]?.length ?? 1
    if (fields < 2) continue
    const same = records.filter((record) => record.length === fields).length / records.length
    const score = same * same * 100 + Math.min(fields, 20)
    if (score > best.score) best = { separator, score }
  }
  return best.separator
}

/** Whether the first record names columns: no number in it, every name once, and numbers below it or only text. */
export function firstIsHeader(records: readonly (readonly string[])[]): boolean {
  const [first, ...rest] = records
  if (first === undefined || rest.length === 0) return false
  const names = first.map((name) => name.trim())
  if (names.some((name) => isNumber(name)) || new Set(names).size !== names.length) return false
  return names.filter((name) => name === '').length <= 1
}

export function isNumber(text: string): boolean {
  return /^[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?$/.test(text.trim())
}

/** Empty lines at the end of a record, as Windows leaves them. */
export function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === LINE || byte === RETURN)
}
