// How many of something, in English.
export const files = (n: number): string => (n === 1 ? '1 file' : `${n.toLocaleString('en')} files`)
export const fragments = (n: number): string => (n === 1 ? '1 fragment' : `${n.toLocaleString('en')} fragments`)
export const items = (n: number): string => (n === 1 ? '1 item' : `${n.toLocaleString('en')} items`)

export const mayBeLost = (n: number): string =>
  n === 0 ? 'no location may be lost' : n === 1 ? '1 location may be lost' : `${n} locations may be lost`
