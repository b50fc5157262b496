// Slides out of TIFF files: the right directories, the right tiles, and patience with liars.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { fromArrayBuffer } from 'geotiff'
import { type Bytes, bytesOfMemory } from '../../../web/src/view/bytes.ts'
import { CannotShow } from '../../../web/src/view/cannot-show.ts'
import { wholeJpeg } from '../../../web/src/view/slide/jpeg-tables.ts'
import { pyramidOf } from '../../../web/src/view/slide/pyramid.ts'
import { scaleBar } from '../../../web/src/view/slide/slide.ts'
import { openTiffSlide } from '../../../web/src/view/slide/tiff-slide.ts'
import { readTiff, type TiffDirectory } from '../../../web/src/view/slide/tiff.ts'
import { halved } from './dicom-maker.ts'
import { makeTiff, type TiffLevel } from './file-makers.ts'
import { filesOf, hasProgram, run } from './real-files.ts'

const never = new AbortController().signal
const folder = mkdtempSync(join(tmpdir(), 'quorate-tiff-'))
after(() => rmSync(folder, { recursive: true, force: true }))

function picture(width: number, height: number): Uint8Array {
  return Uint8Array.from({ length: width * height * 3 }, (_, index) => (index * 7 + (index >> 9) * 13) & 255)
}

function pyramid(): TiffLevel[] {
  const first = { picture: picture(300, 200), width: 300, height: 200 }
  const second = halved(first)
  return [
    { ...first, tile: 64, description: 'Aperio Image Library\r\n300x200|AppMag = 20|MPP = 0.4990', resolution: 72 },
    { ...second, tile: 64 },
  ]
}

describe('TIFF', () => {
  for (const options of [{}, { big: true }, { littleEndian: false }, { big: true, littleEndian: false }]) {
    it(`every tile of every level is what was written (${JSON.stringify(options)})`, async () => {
      const levels = pyramid()
      const slide = await openTiffSlide(bytesOfMemory(makeTiff(levels, options)))
      assert.deepEqual(
        slide.levels.map(({ width, height }) => [width, height]),
        [
          [300, 200],
          [150, 100],
        ],
      )
      assert.equal(slide.micrometres, 0.499)
      assert.deepEqual(slide.magnification, { power: 20, guessed: false })
      for (const [level, { width, height, tile, picture: colours }] of levels.entries()) {
        for (let row = 0; row * tile < height; row++)
          for (let column = 0; column * tile < width; column++) {
            const found = await slide.tile({ level, column, row }, never)
            assert.equal(found.kind, 'colours')
            if (found.kind !== 'colours') return
            for (const [x, y] of [
              [0, 0],
              [Math.min(tile, width - column * tile) - 1, Math.min(tile, height - row * tile) - 1],
            ] as const) {
              const from: number = ((row * tile + y) * width + column * tile + x) * 3
              const at: number = (y * found.width + x) * 4
              assert.deepEqual([...found.rgba.subarray(at, at + 4)], [...colours.subarray(from, from + 3), 255])
            }
          }
      }
    })
  }

  it('pyramids of libvips, packed in each way, open with the tiles that another reader sees', async (t) => {
    const data = await filesOf('python3-skimage', t)
    if (data === undefined || !hasProgram('vips', 'libvips-tools', t)) return
    for (const [packing, ...more] of [
      ['none'],
      ['deflate', '--predictor', 'horizontal'],
      ['lzw', '--predictor', 'horizontal'],
      ['lzw', '--bigtiff'],
      ['packbits'],
      ['zstd'],
      ['jpeg', '--Q', '95'],
    ] as const) {
      const file = join(folder, `${packing}${more.length}.tif`)
      run('vips', [
        'tiffsave',
        join(data, 'ihc.png'),
        file,
        '--tile',
        '--pyramid',
        '--compression',
        packing,
        '--tile-width',
        '128',
        '--tile-height',
        '128',
        ...more,
      ])
      const bytes = readFileSync(file)
      const slide = await openTiffSlide(bytesOfMemory(bytes))
      assert.deepEqual(
        slide.levels.map(({ width }) => width),
        [512, 256, 128],
      )
      const tile = await slide.tile({ level: 1, column: 1, row: 0 }, never)
      if (packing === 'jpeg') {
        assert.equal(tile.kind, 'encoded')
        if (tile.kind === 'encoded') assert.deepEqual([...tile.bytes.subarray(0, 2), ...tile.bytes.subarray(-2)], [0xff, 0xd8, 0xff, 0xd9])
        continue
      }
      const other = await fromArrayBuffer(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
      const image = await other.getImage(1)
      const wanted = (await image.readRasters({ window: [128, 0, 256, 128], interleave: true })) as Uint8Array
      assert.equal(tile.kind, 'colours')
      if (tile.kind === 'colours') {
        const rgb = Uint8Array.from({ length: wanted.length }, (_, index) => tile.rgba[Math.floor(index / 3) * 4 + (index % 3)]!)
        assert.deepEqual(rgb, Uint8Array.from(wanted), packing)
      }
    }
  })

  it('strips, grey of 16 bits and single bits come out as another program sees them', async (t) => {
    const data = await filesOf('python3-skimage', t)
    if (data === undefined || !hasProgram('vips', 'libvips-tools', t)) return
    const grey = join(folder, 'grey.v')
    run('vips', ['colourspace', join(data, 'ihc.png'), grey, 'grey16'])
    run('vips', ['tiffsave', grey, join(folder, 'strips.tif'), '--compression', 'lzw', '--predictor', 'horizontal'])
    const slide = await openTiffSlide(bytesOfMemory(readFileSync(join(folder, 'strips.tif'))))
    assert.ok(slide.notes.includes('stretched'))
    const tile = await slide.tile({ level: 0, column: 0, row: 0 }, never)
    assert.equal(tile.kind === 'colours' && new Set(tile.rgba).size > 50, true)
    run('vips', ['colourspace', join(data, 'ihc.png'), join(folder, 'b.v'), 'b-w'])
    run('vips', ['tiffsave', join(folder, 'b.v'), join(folder, 'bits.tif'), '--compression', 'none', '--bitdepth', '1'])
    const bits = await openTiffSlide(bytesOfMemory(readFileSync(join(folder, 'bits.tif'))))
    const first = await bits.tile({ level: 0, column: 0, row: 0 }, never)
    assert.equal(first.kind, 'colours')
    if (first.kind === 'colours') assert.deepEqual(new Set(first.rgba), new Set([0, 255]))
  })

  it('only the directories and the tiles that are asked for are read', async () => {
    const file = makeTiff(pyramid())
    let read = 0
    const counting: Bytes = {
      sizeBytes: file.length,
      read: async (first, length) => {
        const part = file.subarray(first, first + length)
        read += part.length
        return new Uint8Array(part)
      },
    }
    const slide = await openTiffSlide(counting)
    assert.ok(read < 2000, `${read} bytes for the directories`)
    await slide.tile({ level: 1, column: 0, row: 0 }, never)
    assert.ok(read < 2000 + 64 * 64 * 3 + 100)
  })

  it('label and overview are no level, nor is what has another shape', () => {
    const base = {
      tiled: true,
      tileWidth: 256,
      tileHeight: 256,
      compression: 7,
      photometric: 6,
      samples: 3,
      bits: [8, 8, 8],
      sampleFormat: 1,
      planar: false,
      predictor: 1,
      fillOrder: 1,
      subfile: 0,
      description: '',
      jpegTables: undefined,
      colourMap: undefined,
      resolution: undefined,
      offsets: { count: 1, at: 0, bytesEach: 4, littleEndian: true },
      counts: { count: 1, at: 0, bytesEach: 4, littleEndian: true },
      children: [],
    } as const satisfies Omit<TiffDirectory, 'width' | 'height'>
    const found = pyramidOf({
      directories: [
        { ...base, width: 40_000, height: 30_000, resolution: { x: 40_000, y: 40_000, unit: 3 } },
        { ...base, width: 1024, height: 768, tiled: false },
        { ...base, width: 10_000, height: 7500 },
        { ...base, width: 2500, height: 1875 },
        { ...base, width: 2500, height: 2500 },
        { ...base, width: 800, height: 600, tiled: false, description: 'Aperio Image Library\r\nlabel 800x600' },
        { ...base, width: 1600, height: 600, tiled: false, description: 'Aperio Image Library\r\nmacro 1600x600', subfile: 9 },
      ],
    })
    assert.deepEqual(
      found.levels.map(({ width }) => width),
      [40_000, 10_000, 2500],
    )
    assert.equal(found.hidden, 2)
    assert.equal(found.micrometres, 0.25)
    assert.deepEqual(found.magnification, { power: 40, guessed: true })
  })

  it('printers speak of inches, microscopes do not', () => {
    const of = (resolution: TiffDirectory['resolution'], description = ''): number | undefined =>
      pyramidOf({
        directories: [
          {
            width: 10,
            height: 10,
            tiled: true,
            tileWidth: 16,
            tileHeight: 16,
            compression: 1,
            photometric: 2,
            samples: 3,
            bits: [8],
            sampleFormat: 1,
            planar: false,
            predictor: 1,
            fillOrder: 1,
            subfile: 0,
            description,
            jpegTables: undefined,
            colourMap: undefined,
            resolution,
            offsets: { count: 1, at: 0, bytesEach: 4, littleEndian: true },
            counts: { count: 1, at: 0, bytesEach: 4, littleEndian: true },
            children: [],
          },
        ],
      }).micrometres
    assert.equal(of({ x: 300, y: 300, unit: 2 }), undefined)
    assert.equal(of({ x: 72, y: 72, unit: 2 }), undefined)
    assert.equal(of({ x: 1, y: 1, unit: 1 }), undefined)
    assert.equal(of(undefined, '<OME><Image><Pixels PhysicalSizeX="250" PhysicalSizeXUnit="nm" SizeX="1"/></Image></OME>'), 0.25)
    assert.equal(of(undefined, '<OME><Image><Pixels PhysicalSizeX="0.5" SizeX="1"/></Image></OME>'), 0.5)
  })

  it('the scale bar has a round length that fits', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-4, max: 1e4, noNaN: true }), (micrometres) => {
        const bar = scaleBar(micrometres, 120)!
        assert.ok(bar.pixels <= 120.001 && bar.pixels > 120 / 2.6)
        assert.match(bar.micrometres.toPrecision(6), /^0?\.?0*[125]0*\.?0*(?:e[+-]\d+)?$/)
      }),
    )
    assert.equal(scaleBar(Number.NaN, 100), undefined)
  })

  it('JPEG tiles get their tables, and red, green and blue is said where JPEG cannot know', () => {
    const tables = Uint8Array.of(0xff, 0xd8, 0xff, 0xdb, 0, 3, 9, 0xff, 0xd9)
    const tile = Uint8Array.of(0xff, 0xd8, 0xff, 0xda, 0, 2, 7, 0xff, 0xd9)
    assert.equal(Buffer.from(wholeJpeg(tile, tables, 6)).toString('hex'), 'ffd8ffdb000309ffda000207ffd9')
    assert.match(Buffer.from(wholeJpeg(tile, tables, 2)).toString('latin1'), /Adobe/)
    assert.equal(Buffer.from(wholeJpeg(Uint8Array.of(1, 2), tables, 2)).toString('hex'), '0102')
  })

  it('law: bytes that were changed or cut off are shown, or refused with a reason, and never hang', async () => {
    const file = makeTiff(pyramid())
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { maxLength: 12 }),
        fc.nat(file.length),
        fc.boolean(),
        async (changes, length, atTheEnd) => {
          const bytes = Buffer.from(file)
          // Directories lie at the end of what the maker writes.
          for (const [at, value] of changes) bytes[atTheEnd ? file.length - 1 - (at % 700) : at] = value
          const memory = bytesOfMemory(new Uint8Array(bytes.subarray(0, atTheEnd ? file.length : length)))
          try {
            const slide = await openTiffSlide(memory)
            for (const level of slide.levels.keys()) await slide.tile({ level, column: 0, row: 0 }, never)
          } catch (error) {
            assert.ok(error instanceof CannotShow, String(error))
          }
        },
      ),
      { numRuns: 1500, verbose: true },
    )
  })

  it('a chain of directories that comes back to itself ends', async () => {
    const file = makeTiff(pyramid().slice(1))
    const first = file.readUInt32LE(4)
    file.writeUInt32LE(first, first + 2 + file.readUInt16LE(first) * 12)
    assert.equal((await readTiff(bytesOfMemory(new Uint8Array(file)))).directories.length, 1)
  })
})
