// Short names of places for pictures: what tells them apart, not what they share.

const LETTERS_MAX = 20

/** `/srv/vault/a`, `/srv/vault/b` become `a`, `b`; `/x/data`, `/y/data` become `x/data`, `y/data`. What people named themselves stays. */
export function placeNames(labels: readonly string[]): readonly string[] {
  const paths = labels.map((label) => label.split('/').filter(Boolean))
  const isPath = labels.map((label) => label.includes('/'))
  return labels.map((label, index) => {
    if (!isPath[index]) return shortened(label)
    const own = paths[index]!
    for (let taken = 1; taken <= own.length; taken++) {
      const tail = own.slice(-taken).join('/')
      const twin = paths.some((other, at) => at !== index && other.slice(-taken).join('/') === tail)
      if (!twin) return shortened(tail)
    }
    return shortened(label)
  })
}

function shortened(name: string): string {
  return name.length <= LETTERS_MAX ? name : `${name.slice(0, LETTERS_MAX - 9)}…${name.slice(-8)}`
}
