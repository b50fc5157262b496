// What a browser calls itself, in two words. It is no proof of anything.

const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/Edg\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/Firefox\//, 'Firefox'],
  [/HeadlessChrome\/|Chrome\//, 'Chrome'],
  [/Safari\//, 'Safari'],
]
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/iPhone|iPad/, 'iOS'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'macOS'],
  [/Linux/, 'Linux'],
]

export function browserOf(agent: string): string {
  const first = (rows: typeof BROWSERS): string | undefined => rows.find(([pattern]) => pattern.test(agent))?.[1]
  const words = [first(BROWSERS), first(SYSTEMS)].filter((word) => word !== undefined)
  return words.length === 0 ? agent.slice(0, 40) || '?' : words.join(', ')
}
