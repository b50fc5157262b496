// A fixed pattern that looks like noise, for teaching pictures. Real bytes are drawn by files/byte-picture.tsx.

/** SVG path of the dark cells of a `cells` x `cells` square of side `size`; the same seed gives the same picture. */
export function noisePath(seed: number, cells: number, size: number): string {
  const side = size / cells
  let state = seed * 2654435761 + 12345
  let path = ''
  for (let row = 0; row < cells; row++)
    for (let column = 0; column < cells; column++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      if (state >>> 31 === 1) path += `M${round(column * side)} ${round(row * side)}h${round(side)}v${round(side)}h-${round(side)}z`
    }
  return path
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
