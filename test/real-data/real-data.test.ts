// Files that hospitals and laboratories have: images, genomes, variants. Each comes back after a location is lost, in both layouts,
// by the product and by the recovery program.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { after, describe, it } from 'node:test'
import { testData } from '../../scripts/test-data.ts'
import { get, makeSite, put } from '../storage/site.ts'

interface Source {
  readonly what: string
  readonly debian: string
  /** Below what the package installs. */
  readonly files: string
  /** What these files begin with, to be sure that they are what they are said to be: bytes in hex, at an offset. */
  readonly magic?: { readonly at: number; readonly hex: string; readonly files: RegExp }
  readonly filesMin: number
}

const SOURCES: readonly Source[] = [
  {
    what: 'DICOM of many kinds, whole, damaged and in folders',
    debian: 'python3-pydicom',
    files: 'usr/lib/python3/dist-packages/pydicom/data/test_files/**/*',
    magic: { at: 128, hex: '4449434d', files: /\/(?:CT_small|MR_small|liver_1frame)\.dcm$/ },
    filesMin: 60,
  },
  {
    what: 'DICOM of a magnetic resonance scanner',
    debian: 'dicom3tools',
    files: 'usr/share/doc/dicom3tools/examples/0051.dcm',
    filesMin: 1,
  },
  {
    what: 'reads of a genome (BAM) and variants',
    debian: 'r-bioc-rsamtools',
    files: 'usr/lib/R/site-library/Rsamtools/**/*.{bam,bai,vcf.gz,tbi}',
    magic: { at: 0, hex: '1f8b0804', files: /\.bam$/ },
    filesMin: 4,
  },
  {
    what: 'variants of chromosome 22 (VCF)',
    debian: 'r-bioc-variantannotation',
    files: 'usr/lib/R/site-library/VariantAnnotation/extdata/*.vcf.gz',
    magic: { at: 0, hex: '1f8b0804', files: /chr22\.vcf\.gz$/ },
    filesMin: 3,
  },
  {
    what: 'reads, CRAM with references, corrupt ones too',
    debian: 'htslib-test',
    files: 'usr/share/htslib-test/test/*.{bam,cram,sam,vcf,fa,fai}',
    filesMin: 20,
  },
  {
    what: 'an image of stained tissue',
    debian: 'python3-skimage',
    files: 'usr/lib/python3/dist-packages/skimage/data/ihc.png',
    magic: { at: 0, hex: '89504e470d0a1a0a', files: /ihc\.png$/ },
    filesMin: 1,
  },
]

const root = resolve(import.meta.dirname, '../..')
const python = ['python3', 'python'].find((name) => spawnSync(name, ['-c', 'import sys; sys.exit(sys.version_info < (3, 8))']).status === 0)
/** Of each package, so that the whole stays quick. */
const FILES_MAX = 100

for (const { layout, threshold, count } of [
  { layout: 'shared', threshold: 2, count: 3 },
  { layout: 'sealed', threshold: 3, count: 5 },
] as const) {
  describe(`real files, ${layout}, ${threshold} of ${count}`, async () => {
    const site = await makeSite({ layout, threshold, count })
    const restored = mkdtempSync(join(tmpdir(), 'quorate-restored-'))
    const stored = new Map<string, Buffer>()
    after(async () => {
      await site.end()
      rmSync(restored, { recursive: true, force: true })
    })

    for (const source of SOURCES) {
      it(`takes ${source.what}`, async (t) => {
        const data = await testData(source.debian)
        if (data.kind === 'missing') {
          assert.notEqual(process.env['REQUIRE_SERVERS'], '1', data.line)
          t.skip(data.line)
          return
        }
        const files = globSync(source.files, { cwd: data.folder })
          .filter((file) => statSync(join(data.folder, file)).isFile())
          .toSorted()
          .slice(0, FILES_MAX)
        assert.ok(files.length >= source.filesMin, `${source.debian} has ${files.length} files`)
        const common = source.files.split('/').findIndex((part) => part.includes('*') || part === basename(source.files))
        for (const file of files) {
          const bytes: Buffer = readFileSync(join(data.folder, file))
          if (source.magic?.files.test(file) === true) {
            const { at, hex } = source.magic
            assert.equal(bytes.subarray(at, at + hex.length / 2).toString('hex'), hex, file)
          }
          const path = `/${source.debian}/${file.split('/').slice(common).join('/')}`
          await put(site.storage, path, bytes)
          stored.set(path, bytes)
        }
      })
    }

    it('gives each back when a location is gone, whole and in ranges', async () => {
      // At once, whatever the site is writing there.
      await rename(site.folders[1]!, `${site.folders[1]}-gone`)
      for (const [path, bytes] of stored) {
        assert.ok(bytes.equals(await get(site.storage, path)), path)
        if (bytes.length < 3) continue
        for (const [first, last] of [
          [0, 0],
          [bytes.length - 2, bytes.length - 1],
          [Math.floor(bytes.length / 3), Math.floor(bytes.length / 2)],
        ] as const) {
          assert.ok(bytes.subarray(first, last + 1).equals(await get(site.storage, path, { first, last })), `${path} ${first}-${last}`)
        }
      }
      const { repairDue, health } = await site.storage.status({ check: true })
      assert.ok(stored.size === 0 || (health === 'degraded' && repairDue >= stored.size), `${health}, ${repairDue}`)
    })

    it('gives each back without the product, from as many locations as the threshold says', async (t) => {
      if (python === undefined) {
        t.skip('not found: python3 (Debian: python3)')
        return
      }
      await site.storage.close()
      const used = site.folders.filter((_, index) => index !== 1).slice(0, threshold)
      const { status, stderr } = spawnSync(python, ['-B', join(root, 'recovery/recover.py'), '--out', restored, ...used], {
        encoding: 'utf8',
      })
      assert.equal(status, 0, stderr)
      for (const [path, bytes] of stored) assert.ok(bytes.equals(readFileSync(join(restored, path))), path)
    })
  })
}
