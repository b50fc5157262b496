// The version that package.json names.
import { readFileSync } from 'node:fs'

export const productVersion = (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string })
  .version
