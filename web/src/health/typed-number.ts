// Numbers as people type them.

/** With a point or a comma; undefined when it is none or out of bounds. */
export function within(text: string, least: number, most: number): number | undefined {
  const value = Number(text.trim().replace(',', '.'))
  return text.trim() === '' || !(value >= least && value <= most) ? undefined : value
}
