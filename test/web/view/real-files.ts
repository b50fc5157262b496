// Real files for the tests of viewers, and the programs that make others of them. What is missing is said in one line, and is an error where nothing may be missing.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { testData } from '../../../scripts/test-data.ts'

const PLACES = {
  'python3-pydicom': 'usr/lib/python3/dist-packages/pydicom/data',
  'python3-skimage': 'usr/lib/python3/dist-packages/skimage/data',
  'r-bioc-variantannotation': 'usr/lib/R/site-library/VariantAnnotation/extdata',
  'htslib-test': 'usr/share/htslib-test/test',
} as const

/** The folder with the files of a package; undefined (and the test is skipped) where it cannot be had. */
export async function filesOf(name: keyof typeof PLACES, t: Pick<TestContext, 'skip'>): Promise<string | undefined> {
  const data = await testData(name)
  if (data.kind === 'found') return join(data.folder, PLACES[name])
  missing(data.line, t)
  return undefined
}

/** True when the program is there. */
export function hasProgram(program: string, debian: string, t: Pick<TestContext, 'skip'>): boolean {
  const { error } = spawnSync(program, ['--version'], { stdio: 'ignore' })
  if (error === undefined) return true
  missing(`not found: ${program} (Debian: ${debian})`, t)
  return false
}

export function run(program: string, args: readonly string[], input?: Uint8Array): Buffer {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    maxBuffer: 256 * 2 ** 20,
    ...(input === undefined ? {} : { input }),
  })
  if (error !== undefined || status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr.toString()}`)
  return stdout
}

function missing(line: string, t: Pick<TestContext, 'skip'>): void {
  assert.notEqual(process.env['REQUIRE_SERVERS'], '1', line)
  t.skip(line)
}
