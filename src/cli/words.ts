// Numbers and names as people read them on a terminal.

const SIZES = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** `1.4 GiB`; below 1 KiB exact. */
export function size(bytes: number): string {
  let unit = 0
  let value = bytes
  while (value >= 1024 && unit < SIZES.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${SIZES[unit]}`
}

/** `0:07`, `12:30`, `3:05:00`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (value: number): string => String(value).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}

/** `1 file`, `3 files`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** A name from outside cannot move the cursor, colour the terminal or reverse the reading direction. */
export function printable(name: string): string {
  return name.toWellFormed().replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, (mark) => `\\u{${mark.codePointAt(0)!.toString(16)}}`)
}

/** Ends with a full stop. Its beginning stays as it is, since it may be the name of a location. */
export function sentence(text: string): string {
  return text === '' || /[.!?:)]$/.test(text) ? text : `${text}.`
}

/** Columns as wide as their widest cell, two spaces apart; the last one is not padded. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length)
  return rows.map((row) =>
    row
      .map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}
