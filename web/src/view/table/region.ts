// A region of a genome as people write it, and whether a row lies in it.

export interface Region {
  readonly chromosome: string
  /** From 1, inclusive. */
  readonly start: number
  readonly end: number
}

const POSITION_MAX = 2 ** 31 - 1

/** `chr22:50300078`, `22:50,300,000-50,301,000`, or a whole `chr22`. */
export function parseRegion(text: string): Region | undefined {
  const match = /^\s*([^\s:]{1,100})(?:\s*:\s*([\d.,\s]{1,20})(?:\s*-\s*([\d.,\s]{1,20}))?)?\s*$/.exec(text)
  if (match === null) return undefined
  const chromosome = match[1]!
  if (match[2] === undefined) return { chromosome, start: 1, end: POSITION_MAX }
  const start = number(match[2])
  const end = match[3] === undefined ? start : number(match[3])
  if (start === undefined || end === undefined || start < 1 || end < start || end > POSITION_MAX) return undefined
  return { chromosome, start, end }
}

/** `chr22` and `22` are the same one. */
export function sameChromosome(a: string, b: string): boolean {
  return bare(a) === bare(b)
}

export function bare(chromosome: string): string {
  return chromosome.replace(/^chr(?=.)/i, '').toLowerCase()
}

/** First and last position of a row of VCF or BED; undefined where it has none. */
export function extentOf(fields: readonly string[], format: 'vcf' | 'bed'): Region | undefined {
  const chromosome = fields[0]
  const at = Number(fields[1])
  if (chromosome === undefined || fields[1] === undefined || fields[1] === '' || !Number.isSafeInteger(at)) return undefined
  if (format === 'vcf') return { chromosome, start: at, end: Math.max(at, at + (fields[3]?.length ?? 1) - 1) }
  const end = Number(fields[2])
  return Number.isSafeInteger(end) ? { chromosome, start: at + 1, end } : undefined
}

export function overlaps(extent: Region, region: Region): boolean {
  return sameChromosome(extent.chromosome, region.chromosome) && extent.start <= region.end && extent.end >= region.start
}

function number(text: string): number | undefined {
  const value = Number(text.replace(/[.,\s]/g, ''))
  return Number.isSafeInteger(value) ? value : undefined
}
