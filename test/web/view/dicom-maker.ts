// Writes DICOM files for tests (PS3.5, 7.1; explicit little endian): single images, series, and slides of many tiles.

export type Value = string | number | readonly number[] | Uint8Array | readonly Elements[]
export type Elements = Readonly<Record<string, readonly [vr: string, value: Value]>>

const LONG = new Set(['OB', 'OW', 'SQ', 'UN', 'UT', 'OV'])
const NUMBER_BYTES: Readonly<Record<string, number>> = { US: 2, SS: 2, UL: 4, SL: 4, FL: 4, FD: 8, OV: 8 }

interface DicomOptions {
  readonly transferSyntax?: string
  readonly sopClass: string
  readonly instance: string
  readonly elements: Elements
  readonly pixels?:
    | Uint8Array
    | { readonly frames: readonly Uint8Array[]; readonly table: 'basic' | 'extended' | 'none'; readonly pieces?: number }
}

export const UID_ROOT = '1.2.826.0.1.3680043.10.1338'

export function makeDicom({ transferSyntax = '1.2.840.10008.1.2.1', sopClass, instance, elements, pixels }: DicomOptions): Buffer {
  const meta = encode({
    '00020001': ['OB', Uint8Array.of(0, 1)],
    '00020002': ['UI', sopClass],
    '00020003': ['UI', instance],
    '00020010': ['UI', transferSyntax],
    '00020012': ['UI', `${UID_ROOT}.1`],
  })
  const extended = pixels instanceof Uint8Array || pixels?.table !== 'extended' ? {} : extendedTable(pixels.frames)
  const body = encode({ '00080016': ['UI', sopClass], '00080018': ['UI', instance], ...elements, ...extended })
  return Buffer.concat([
    Buffer.alloc(128),
    Buffer.from('DICM'),
    encode({ '00020000': ['UL', meta.length] }),
    meta,
    body,
    pixels === undefined ? Buffer.alloc(0) : pixels instanceof Uint8Array ? plainPixels(pixels, elements) : packedPixels(pixels),
  ])
}

export function encode(elements: Elements): Buffer {
  return Buffer.concat(
    Object.entries(elements)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([tag, [vr, value]]) => element(tag, vr, valueBytes(vr, value))),
  )
}

function element(tag: string, vr: string, value: Buffer, undefinedLength = false): Buffer {
  const head = Buffer.alloc(LONG.has(vr) ? 12 : 8)
  head.writeUInt16LE(Number.parseInt(tag.slice(0, 4), 16), 0)
  head.writeUInt16LE(Number.parseInt(tag.slice(4), 16), 2)
  head.write(vr, 4, 'latin1')
  if (LONG.has(vr)) head.writeUInt32LE(undefinedLength ? 0xffffffff : value.length, 8)
  else head.writeUInt16LE(value.length, 6)
  return Buffer.concat([head, value])
}

function valueBytes(vr: string, value: Value): Buffer {
  if (vr === 'SQ') return Buffer.concat((value as readonly Elements[]).map((item) => itemOf(encode(item))))
  if (value instanceof Uint8Array) return even(Buffer.from(value), 0)
  const each = NUMBER_BYTES[vr]
  if (each === undefined)
    return even(Buffer.from(Array.isArray(value) ? value.join('\\') : String(value as string | number), 'utf8'), vr === 'UI' ? 0 : 0x20)
  const numbers = Array.isArray(value) ? (value as number[]) : [value as number]
  const bytes = Buffer.alloc(numbers.length * each)
  for (const [index, number] of numbers.entries()) {
    const at = index * each
    if (vr === 'US') bytes.writeUInt16LE(number, at)
    else if (vr === 'SS') bytes.writeInt16LE(number, at)
    else if (vr === 'UL') bytes.writeUInt32LE(number, at)
    else if (vr === 'SL') bytes.writeInt32LE(number, at)
    else if (vr === 'FL') bytes.writeFloatLE(number, at)
    else if (vr === 'FD') bytes.writeDoubleLE(number, at)
    else bytes.writeBigUInt64LE(BigInt(number), at)
  }
  return bytes
}

function itemOf(content: Uint8Array): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt16LE(0xfffe, 0)
  head.writeUInt16LE(0xe000, 2)
  head.writeUInt32LE(content.length, 4)
  return Buffer.concat([head, content])
}

function plainPixels(pixels: Uint8Array, elements: Elements): Buffer {
  return element('7FE00010', (elements['00280100']?.[1] ?? 16) === 8 ? 'OB' : 'OW', even(Buffer.from(pixels), 0))
}

function packedPixels({ frames, table, pieces = 1 }: { frames: readonly Uint8Array[]; table: string; pieces?: number }): Buffer {
  const items = frames.map((frame) => {
    const padded = even(Buffer.from(frame), 0)
    const size = Math.max(2, 2 * Math.ceil(padded.length / pieces / 2))
    return Buffer.concat(
      Array.from({ length: Math.ceil(padded.length / size) }, (_, index) => itemOf(padded.subarray(index * size, (index + 1) * size))),
    )
  })
  const offsets = Buffer.alloc(table === 'basic' ? frames.length * 4 : 0)
  let at = 0
  if (table === 'basic')
    for (const [index, item] of items.entries()) {
      offsets.writeUInt32LE(at, index * 4)
      at += item.length
    }
  const end = Buffer.from('fefedde000000000'.replace('fefe', 'feff'), 'hex')
  return element('7FE00010', 'OB', Buffer.concat([itemOf(offsets), ...items, end]), true)
}

function extendedTable(frames: readonly Uint8Array[]): Elements {
  const offsets: number[] = []
  const lengths: number[] = []
  let at = 0
  for (const frame of frames) {
    offsets.push(at)
    lengths.push(frame.length)
    at += 8 + frame.length + (frame.length % 2)
  }
  return { '7FE00001': ['OV', offsets], '7FE00002': ['OV', lengths] }
}

function even(bytes: Buffer, pad: number): Buffer {
  return bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.of(pad)])
}

export interface SlideLevelOptions {
  /** RGB, row by row. */
  readonly picture: Uint8Array
  readonly width: number
  readonly height: number
  readonly tile: number
  readonly micrometres: number
  readonly number: number
  /** Frames that are packed already; else they are stored plain. */
  readonly jpegs?: readonly Uint8Array[]
  readonly table?: 'basic' | 'extended' | 'none'
}

/** One level of a slide (PS3.3, A.32.8), TILED_FULL: everything that the standard asks for, so that a validator finds nothing. */
export function makeSlideLevel({ picture, width, height, tile, micrometres, number, jpegs, table = 'basic' }: SlideLevelOptions): Buffer {
  const columns = Math.ceil(width / tile)
  const rows = Math.ceil(height / tile)
  const spacing = String(micrometres / 1000)
  const sopClass = '1.2.840.10008.5.1.4.1.1.77.1.6'
  const coded = (value: string, scheme: string, meaning: string): Elements => ({
    '00080100': ['SH', value],
    '00080102': ['SH', scheme],
    '00080104': ['LO', meaning],
  })
  const code = (value: string, meaning: string): Elements => coded(value, 'SCT', meaning)
  return makeDicom({
    transferSyntax: jpegs === undefined ? '1.2.840.10008.1.2.1' : '1.2.840.10008.1.2.4.50',
    sopClass,
    instance: `${UID_ROOT}.7.${number}`,
    pixels: jpegs === undefined ? tilesOf({ picture, width, height, tile }) : { frames: jpegs, table },
    elements: {
      '00080005': ['CS', 'ISO_IR 192'],
      '00080008': ['CS', `${number === 1 ? 'ORIGINAL' : 'DERIVED'}\\PRIMARY\\VOLUME\\${number === 1 ? 'NONE' : 'RESAMPLED'}`],
      '00080020': ['DA', '20260102'],
      '00080023': ['DA', '20260102'],
      '0008002A': ['DT', '20260102101500'],
      '00080030': ['TM', '101500'],
      '00080033': ['TM', '101500'],
      '00080050': ['SH', ''],
      '00080060': ['CS', 'SM'],
      '00080070': ['LO', 'Quorate'],
      '00080090': ['PN', ''],
      '00081090': ['LO', 'test builder'],
      '00089206': ['CS', 'VOLUME'],
      '00100010': ['PN', 'Probe^Erika'],
      '00100020': ['LO', 'T-1'],
      '00100030': ['DA', '19700101'],
      '00100040': ['CS', 'F'],
      '00181000': ['LO', '1'],
      '00181020': ['LO', '1'],
      '0020000D': ['UI', `${UID_ROOT}.5`],
      '0020000E': ['UI', `${UID_ROOT}.6`],
      '00200010': ['SH', 'S1'],
      '00200011': ['IS', 1],
      '00200013': ['IS', number],
      '00200052': ['UI', `${UID_ROOT}.8`],
      '00201040': ['LO', 'SLIDE_CORNER'],
      '00209311': ['CS', 'TILED_FULL'],
      '00209221': ['SQ', [{ '00209164': ['UI', `${UID_ROOT}.10`] }]],
      '00280002': ['US', 3],
      '00280004': ['CS', jpegs === undefined ? 'RGB' : 'YBR_FULL_422'],
      '00280006': ['US', 0],
      '00280008': ['IS', columns * rows],
      '00280010': ['US', tile],
      '00280011': ['US', tile],
      '00280100': ['US', 8],
      '00280101': ['US', 8],
      '00280102': ['US', 7],
      '00280103': ['US', 0],
      '00280301': ['CS', 'NO'],
      '00282110': ['CS', jpegs === undefined ? '00' : '01'],
      ...(jpegs === undefined ? {} : { '00282112': ['DS', '10'] as const, '00282114': ['CS', 'ISO_10918_1'] as const }),
      '00400512': ['LO', 'C1'],
      '00400513': ['SQ', []],
      '00400518': ['SQ', [code('433466003', 'Microscope slide')]],
      '00400555': ['SQ', []],
      '00400560': [
        'SQ',
        [
          {
            '00400551': ['LO', 'P1'],
            '00400554': ['UI', `${UID_ROOT}.11`],
            '00400562': ['SQ', []],
            '00400600': ['LO', 'stained tissue'],
            '00400610': ['SQ', []],
            '00082228': ['SQ', [code('76752008', 'Breast')]],
            '0040059A': ['SQ', [code('1179252003', 'Tissue section')]],
          },
        ],
      ],
      '00480001': ['FL', (width * micrometres) / 1000],
      '00480002': ['FL', (height * micrometres) / 1000],
      '00480003': ['FL', 1],
      '00480006': ['UL', width],
      '00480007': ['UL', height],
      '00480008': ['SQ', [{ '0040072A': ['DS', '20'], '0040073A': ['DS', '40'] }]],
      '00480010': ['CS', 'NO'],
      '00480011': ['CS', 'AUTO'],
      '00480012': ['CS', 'NO'],
      '00480102': ['DS', [0, -1, 0, -1, 0, 0]],
      '00480105': [
        'SQ',
        [
          {
            '00282000': ['OB', Uint8Array.of(0, 0)],
            '00480106': ['SH', '1'],
            '00480108': ['SQ', [coded('414298005', 'SCT', 'Full spectrum')]],
            '00480112': ['DS', '20'],
            '00220016': ['SQ', [coded('111744', 'DCM', 'Brightfield illumination')]],
          },
        ],
      ],
      '00480302': ['UL', 1],
      '00480303': ['UL', 1],
      '52009229': [
        'SQ',
        [
          {
            '00289110': ['SQ', [{ '00180050': ['DS', '0.001'], '00280030': ['DS', `${spacing}\\${spacing}`] }]],
            '00400710': [
              'SQ',
              [{ '00089007': ['CS', `${number === 1 ? 'ORIGINAL' : 'DERIVED'}\\PRIMARY\\VOLUME\\${number === 1 ? 'NONE' : 'RESAMPLED'}`] }],
            ],
            '00480207': ['SQ', [{ '00480106': ['SH', '1'] }]],
          },
        ],
      ],
    },
  })
}

/** Tiles of an RGB picture one behind the other, white beyond its edge. */
export function tilesOf({ picture, width, height, tile }: Pick<SlideLevelOptions, 'picture' | 'width' | 'height' | 'tile'>): Buffer {
  const columns = Math.ceil(width / tile)
  const rows = Math.ceil(height / tile)
  const tiles = Buffer.alloc(columns * rows * tile * tile * 3, 255)
  for (let y = 0; y < height; y++)
    for (let column = 0; column < columns; column++) {
      const index = Math.floor(y / tile) * columns + column
      const from = (y * width + column * tile) * 3
      const length = Math.min(tile, width - column * tile) * 3
      tiles.set(picture.subarray(from, from + length), (index * tile * tile + (y % tile) * tile) * 3)
    }
  return tiles
}

/** Half as wide and high, each pixel the mean of four. */
export function halved({ picture, width, height }: { readonly picture: Uint8Array; readonly width: number; readonly height: number }): {
  readonly picture: Buffer
  readonly width: number
  readonly height: number
} {
  const [w, h] = [width >> 1, height >> 1]
  const half = Buffer.alloc(w * h * 3)
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++)
      for (let colour = 0; colour < 3; colour++) {
        const at = (row: number, column: number): number => picture[((2 * y + row) * width + 2 * x + column) * 3 + colour]!
        half[(y * w + x) * 3 + colour] = (at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1)) >> 2
      }
  return { picture: half, width: w, height: h }
}
