// DICOM: what files say, where their frames lie, what their pixels are; with files of many makers, and liars.
import assert from 'node:assert/strict'
import { globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { bytesOfMemory } from '../../../web/src/view/bytes.ts'
import { CannotShow } from '../../../web/src/view/cannot-show.ts'
import { type DicomFile, readDicom } from '../../../web/src/view/dicom/dicom-file.ts'
import { openDicomSlide } from '../../../web/src/view/dicom/dicom-slide.ts'
import { frameTable } from '../../../web/src/view/dicom/frames.ts'
import { decodeLossless } from '../../../web/src/view/dicom/jpeg-lossless.ts'
import { paletteOf, pixelShape, unpackFrame } from '../../../web/src/view/dicom/pixels.ts'
import { factsOf, stackOf } from '../../../web/src/view/dicom/series.ts'
import { greyOf, lineOf, wholeWindow, windowOf } from '../../../web/src/view/dicom/window.ts'
import { kindOf } from '../../../web/src/view/kind.ts'
import { halved, makeDicom, makeSlideLevel, UID_ROOT } from './dicom-maker.ts'
import { filesOf, hasProgram, run } from './real-files.ts'

const never = new AbortController().signal
const folder = mkdtempSync(join(tmpdir(), 'quorate-dicom-'))
after(() => rmSync(folder, { recursive: true, force: true }))

function open(file: Uint8Array): Promise<DicomFile> {
  return readDicom(bytesOfMemory(new Uint8Array(file)))
}

async function pixels(file: DicomFile, frame = 0): Promise<number[]> {
  const table = await frameTable(file)
  const found = await unpackFrame(await table.read(frame), pixelShape(file), paletteOf(file))
  if (found.kind === 'encoded') return [...found.bytes]
  return [...(found.kind === 'values' ? found.values : found.rgba)]
}

describe('DICOM files of many makers', async () => {
  it('each opens, or says why not', async (t) => {
    const data = await filesOf('python3-pydicom', t)
    if (data === undefined) return
    const outcomes: Record<string, string> = {}
    for (const path of globSync(join(data, '{test_files,charset_files}/**/*')).filter((name) => /\.dcm$|\/\d+$/.test(name))) {
      if (!statSync(path).isFile()) continue
      const bytes = readFileSync(path)
      if (kindOf(bytes.subarray(0, 4096), basename(path)).family !== 'dicom') {
        outcomes[basename(path)] = 'unknown'
        continue
      }
      try {
        const file = await open(bytes)
        const shape = pixelShape(file)
        await pixels(file)
        outcomes[basename(path)] = `${shape.width} × ${shape.height}`
      } catch (error) {
        assert.ok(error instanceof CannotShow, `${path}: ${String(error)}`)
        outcomes[basename(path)] = error.reason
      }
    }
    for (const [name, wanted] of Object.entries({
      'CT_small.dcm': '128 × 128',
      'MR_small.dcm': '64 × 64',
      'ExplVR_BigEnd.dcm': '80 × 60',
      'MR_truncated.dcm': 'truncated',
      'JPGExtended.dcm': 'compression',
      'MR_small_jpeg_ls_lossless.dcm': '64 × 64',
      'JPEG2000.dcm': '256 × 1024',
      'reportsi.dcm': 'no-picture',
      'rtplan.dcm': 'no-picture',
      'rtdose.dcm': '10 × 10',
      'ExplVR_BigEndNoMeta.dcm': 'no-picture',
    }))
      assert.equal(outcomes[name], wanted, name)
    assert.ok(Object.values(outcomes).filter((outcome) => outcome.includes('×')).length >= 40, JSON.stringify(outcomes))
  })

  it('the same image in every packing that is known has the same pixels', async (t) => {
    const data = await filesOf('python3-pydicom', t)
    if (data === undefined) return
    const of = async (name: string, frame = 0): Promise<number[]> => pixels(await open(readFileSync(join(data, 'test_files', name))), frame)
    const mr = await of('MR_small.dcm')
    for (const name of [
      'MR_small_RLE.dcm',
      'MR_small_bigendian.dcm',
      'MR_small_expb.dcm',
      'MR_small_implicit.dcm',
      'MR_small_jp2klossless.dcm',
      'MR_small_jpeg_ls_lossless.dcm',
    ])
      assert.deepEqual(await of(name), mr, name)
    assert.deepEqual(await of('rtdose_rle.dcm', 14), await of('rtdose.dcm', 14))
    assert.deepEqual(await of('SC_rgb_rle_2frame.dcm', 0), await of('SC_rgb_rle.dcm'))
    assert.notDeepEqual(await of('SC_rgb_rle_2frame.dcm', 1), await of('SC_rgb_rle.dcm'))
  })

  it('lossless JPEG of another maker, with every predictor, gives back the pixels', async (t) => {
    const data = await filesOf('python3-pydicom', t)
    if (data === undefined || !hasProgram('dcmcjpeg', 'dcmtk', t)) return
    for (const name of ['CT_small.dcm', 'MR_small.dcm', 'SC_rgb_small_odd.dcm']) {
      const source = join(data, 'test_files', name)
      const wanted = await pixels(await open(readFileSync(source)))
      for (const how of [['+e1'], ...[1, 2, 3, 4, 5, 6, 7].map((predictor) => ['+el', '+sv', String(predictor)])]) {
        const packed = join(folder, `lossless${how.join('')}.dcm`)
        run(
          'dcmcjpeg',
          [...how, '+cl', source, packed].filter((argument) => argument !== '+cl'),
        )
        const file = await open(readFileSync(packed))
        assert.match(file.transferSyntax, /\.4\.(?:57|70)$/)
        assert.deepEqual(await pixels(file), wanted, `${name} ${how.join(' ')}`)
      }
    }
  })

  it('names are read in the writing of their people', async (t) => {
    const data = await filesOf('python3-pydicom', t)
    if (data === undefined) return
    const name = async (file: string): Promise<string> => (await open(readFileSync(join(data, 'charset_files', file)))).string(0x00100010)
    assert.equal(await name('chrGerm.dcm'), 'Äneas^Rüdiger')
    assert.equal(await name('chrRuss.dcm'), 'Люкceмбypг')
    assert.match(await name('chrX1.dcm'), /王\^小東/)
    assert.match(await name('chrH31.dcm'), /山田\^太郎/)
    assert.match(await name('chrI2.dcm'), /洪\^吉洞/)
    assert.match(await name('chrArab.dcm'), /قباني/)
  })
})

function image(elements: Parameters<typeof makeDicom>[0]['elements'], rest: Partial<Parameters<typeof makeDicom>[0]> = {}): Buffer {
  return makeDicom({
    sopClass: '1.2.840.10008.5.1.4.1.1.7',
    instance: `${UID_ROOT}.30`,
    elements: {
      '00280002': ['US', 1],
      '00280004': ['CS', 'MONOCHROME2'],
      '00280010': ['US', 2],
      '00280011': ['US', 3],
      '00280100': ['US', 16],
      '00280101': ['US', 12],
      '00280102': ['US', 11],
      '00280103': ['US', 1],
      ...elements,
    },
    ...rest,
  })
}

describe('pixels', () => {
  it('only the stored bits count, with their sign', async () => {
    const stored = Buffer.alloc(12)
    for (const [index, value] of [0, 1, 0x7ff, 0x800, 0xfff, 0xf001].entries()) stored.writeUInt16LE(value, index * 2)
    assert.deepEqual(await pixels(await open(image({}, { pixels: stored }))), [0, 1, 2047, -2048, -1, 1])
    assert.deepEqual(await pixels(await open(image({ '00280103': ['US', 0] }, { pixels: stored }))), [0, 1, 2047, 2048, 4095, 1])
  })

  it('a window is centred as the standard says, and MONOCHROME1 is its opposite', async () => {
    const file = await open(
      image(
        { '00281050': ['DS', '100'], '00281051': ['DS', '200'], '00281052': ['DS', '-10'], '00281053': ['DS', '2'] },
        { pixels: Buffer.alloc(12) },
      ),
    )
    assert.deepEqual(
      [lineOf(file), windowOf(file)],
      [
        { slope: 2, intercept: -10 },
        { centre: 100, width: 200 },
      ],
    )
    const line = { slope: 1, intercept: 0 }
    // C.11.2.1.2.1: x <= c - 0.5 - (w-1)/2 is black, x > c - 0.5 + (w-1)/2 is white.
    const grey = greyOf([0, 1, 50, 99, 100, 101], line, { centre: 50, width: 100 }, false)
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5].map((pixel) => grey[pixel * 4]),
      [0, 3, 129, 255, 255, 255],
    )
    const inverted = greyOf([0, 100], line, { centre: 50, width: 100 }, true)
    assert.deepEqual([inverted[0], inverted[4]], [255, 0])
    assert.deepEqual(wholeWindow([5, 5], line), { centre: 5, width: 1 })
  })

  it('law: the window of all values shows the smallest dark and the largest bright', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -40_000, max: 40_000 }), { minLength: 2, maxLength: 50 }),
        fc.constantFrom(1, 2, 0.5, -1),
        fc.integer({ min: -1024, max: 1024 }),
        (values, slope, intercept) => {
          fc.pre(new Set(values).size > 1)
          const line = { slope, intercept }
          const grey = greyOf(values, line, wholeWindow(values, line), false)
          const [low, high] = slope > 0 ? [Math.min(...values), Math.max(...values)] : [Math.max(...values), Math.min(...values)]
          assert.equal(grey[values.indexOf(low) * 4], 0)
          assert.ok(grey[values.indexOf(high) * 4]! >= 254)
        },
      ),
    )
  })

  it('a palette gives its colours', async () => {
    const ramp = Buffer.alloc(512)
    for (let entry = 0; entry < 256; entry++) ramp.writeUInt16LE(entry << 8, entry * 2)
    const dark = Buffer.alloc(512)
    const file = await open(
      image(
        {
          '00280004': ['CS', 'PALETTE COLOR'],
          '00280100': ['US', 8],
          '00280101': ['US', 8],
          '00280102': ['US', 7],
          '00280103': ['US', 0],
          '00281101': ['US', [256, 0, 16]],
          '00281102': ['US', [256, 0, 16]],
          '00281103': ['US', [256, 0, 16]],
          '00281201': ['OW', ramp],
          '00281202': ['OW', dark],
          '00281203': ['OW', dark],
        },
        { pixels: Uint8Array.of(0, 1, 127, 128, 254, 255) },
      ),
    )
    assert.deepEqual(
      (await pixels(file)).filter((_, index) => index % 4 === 0),
      [0, 1, 127, 128, 254, 255],
    )
  })

  it('lossless JPEG that is none, or cut off, is refused', () => {
    for (const [bytes, reason] of [
      [Uint8Array.of(0xff, 0xd8, 0xff), 'damaged'],
      [Uint8Array.of(1, 2, 3, 4, 5), 'damaged'],
      [Buffer.from('ffd8ffc0001108001000100301220002110103110100', 'hex'), 'compression'],
    ] as const)
      assert.throws(
        () => decodeLossless(bytes),
        (error: unknown) => error instanceof CannotShow && (error.reason === reason || error.reason === 'truncated'),
      )
  })
})

describe('frames', () => {
  const frames = [Buffer.from('first frame!'), Buffer.from('2nd'), Buffer.from('the third one')]
  for (const table of ['basic', 'extended', 'none'] as const) {
    it(`each is found (offset table: ${table})`, async () => {
      const file = await open(image({ '00280008': ['IS', 3] }, { transferSyntax: '1.2.840.10008.1.2.4.50', pixels: { frames, table } }))
      const found = await frameTable(file)
      assert.equal(found.count, 3)
      for (const [index, frame] of frames.entries()) {
        const bytes = Buffer.from(await found.read(index))
        assert.equal(bytes.subarray(0, frame.length).toString(), frame.toString())
        assert.ok(bytes.length - frame.length <= 1)
      }
      await assert.rejects(
        Promise.resolve().then(() => found.read(3)),
        Error,
      )
    })
  }

  it('one frame may come in pieces; several without a table may not', async () => {
    const one = await open(
      image({}, { transferSyntax: '1.2.840.10008.1.2.4.50', pixels: { frames: [frames[0]!], table: 'none', pieces: 3 } }),
    )
    assert.equal(Buffer.from(await (await frameTable(one)).read(0)).toString(), 'first frame!')
    const many = await open(
      image({ '00280008': ['IS', 3] }, { transferSyntax: '1.2.840.10008.1.2.4.50', pixels: { frames, table: 'none', pieces: 2 } }),
    )
    await assert.rejects(frameTable(many), (error: unknown) => error instanceof CannotShow && error.reason === 'compression')
    const pieces = await open(
      image({ '00280008': ['IS', 3] }, { transferSyntax: '1.2.840.10008.1.2.4.50', pixels: { frames, table: 'basic', pieces: 2 } }),
    )
    assert.equal(
      Buffer.from(await (await frameTable(pieces)).read(2))
        .subarray(0, 13)
        .toString(),
      'the third one',
    )
  })
})

describe('series', () => {
  it('stands in the order of the body; where that is not said, of its numbers; else of its names', () => {
    const facts = (
      path: string,
      instance: number | undefined,
      position: number | undefined,
      frames = 1,
    ): Parameters<typeof stackOf>[0][number] => ({ path, series: 's', instance, position, frames, slide: false })
    const paths = (files: Parameters<typeof stackOf>[0]): string[] => stackOf(files).map(({ path, frame }) => `${path}${frame}`)
    assert.deepEqual(paths([facts('a', 1, 20), facts('b', 2, 10)]), ['b0', 'a0'])
    assert.deepEqual(paths([facts('a', 2, 10), facts('b', 1, 10)]), ['b0', 'a0'])
    assert.deepEqual(paths([facts('i10', undefined, undefined), facts('i9', undefined, undefined, 2)]), ['i90', 'i91', 'i100'])
  })
})

describe('a slide in DICOM', () => {
  const width = 300
  const height = 200
  const first = { picture: Uint8Array.from({ length: width * height * 3 }, (_, index) => (index * 5 + (index >> 7)) & 255), width, height }
  const second = halved(first)

  it('has a level for each file, and each tile is where it belongs', async () => {
    const files = await Promise.all(
      [
        makeSlideLevel({ ...second, tile: 64, micrometres: 1, number: 2 }),
        makeSlideLevel({ ...first, tile: 64, micrometres: 0.5, number: 1 }),
      ].map(open),
    )
    assert.ok(files.every((file) => factsOf('x', file).slide))
    const slide = openDicomSlide(files)
    assert.deepEqual(
      slide.levels.map((level) => [level.width, level.height]),
      [
        [300, 200],
        [150, 100],
      ],
    )
    assert.ok(Math.abs(slide.micrometres! - 0.5) < 1e-9)
    assert.deepEqual(slide.magnification, { power: 20, guessed: false })
    const tile = await slide.tile({ level: 0, column: 4, row: 3 }, never)
    assert.equal(tile.kind, 'colours')
    if (tile.kind !== 'colours') return
    const from = ((3 * 64 + 7) * width + 4 * 64 + 43) * 3
    assert.deepEqual([...tile.rgba.subarray((7 * 64 + 43) * 4, (7 * 64 + 43) * 4 + 3)], [...first.picture.subarray(from, from + 3)])
    assert.deepEqual(await slide.tile({ level: 0, column: 5, row: 0 }, never), { kind: 'nothing' })
  })

  it('in JPEG gives each tile to the browser as it lies in the file', async () => {
    const jpegs = Array.from({ length: 20 }, (_, index) =>
      Buffer.from(`ffd8ffdb0003${index.toString(16).padStart(2, '0')}ffda0002aaffd9`, 'hex'),
    )
    for (const table of ['basic', 'extended', 'none'] as const) {
      const slide = openDicomSlide([await open(makeSlideLevel({ ...first, tile: 64, micrometres: 0.5, number: 1, jpegs, table }))])
      const tile = await slide.tile({ level: 0, column: 2, row: 1 }, never)
      assert.equal(tile.kind, 'encoded')
      if (tile.kind === 'encoded') assert.equal(Buffer.from(tile.bytes).toString('hex', 0, 7), 'ffd8ffdb000307')
    }
  })

  it('is written by our builder as the standard wants it', (t) => {
    if (!hasProgram('dciodvfy', 'dicom3tools', t)) return
    const jpegs = Array.from({ length: 20 }, () => Buffer.from('ffd8ffd9', 'hex'))
    for (const [name, file] of [
      ['plain', makeSlideLevel({ ...first, tile: 64, micrometres: 0.5, number: 1 })],
      ['packed', makeSlideLevel({ ...first, tile: 64, micrometres: 0.5, number: 1, jpegs })],
    ] as const) {
      writeFileSync(join(folder, `${name}.dcm`), file)
      const said = run('sh', ['-c', `dciodvfy ${join(folder, `${name}.dcm`)} 2>&1 || true`]).toString()
      assert.ok(!said.includes('Error'), said)
      assert.ok(said.includes('VLWholeSlideMicroscopyImage'), said)
    }
  })

  it('whose frames are fewer than its tiles is cut off', async () => {
    const file = makeSlideLevel({ ...first, tile: 64, micrometres: 0.5, number: 1 })
    const wide = Buffer.from(file)
    wide.writeUInt32LE(30_000, wide.indexOf(Buffer.from('48000600554c0400', 'hex')) + 8)
    const opened = await open(wide)
    assert.throws(
      () => openDicomSlide([opened]),
      (error: unknown) => error instanceof CannotShow && error.reason === 'truncated',
    )
  })
})

describe('liars', () => {
  it('law: bytes that were changed or cut off are read, or refused with a reason, and never hang', async () => {
    const plain = image(
      { '00280008': ['IS', 2], '52009229': ['SQ', [{ '00289110': ['SQ', [{ '00280030': ['DS', '1\\1'] }]] }]] },
      { pixels: Buffer.alloc(24, 3) },
    )
    const packed = image(
      { '00280008': ['IS', 2] },
      { transferSyntax: '1.2.840.10008.1.2.5', pixels: { frames: [Buffer.alloc(90, 1), Buffer.alloc(80, 2)], table: 'basic' } },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.array(fc.tuple(fc.nat(5000), fc.nat(255)), { maxLength: 10 }),
        fc.nat(1000),
        async (isPlain, changes, cut) => {
          const bytes = Buffer.from(isPlain ? plain : packed)
          for (const [at, value] of changes) bytes[132 + (at % (bytes.length - 132))] = value
          try {
            const file = await open(bytes.subarray(0, Math.max(140, bytes.length - (cut > 500 ? cut - 500 : 0))))
            factsOf('x', file)
            await pixels(file, 1)
          } catch (error) {
            assert.ok(error instanceof CannotShow, String(error instanceof Error ? error.stack : error))
          }
        },
      ),
      { numRuns: 2000, verbose: true },
    )
  })
})
