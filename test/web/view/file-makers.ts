// Small files of other people's formats for tests, written by hand: TIFF, Parquet, PDF.

export interface TiffLevel {
  readonly width: number
  readonly height: number
  readonly tile: number
  /** RGB, row by row. */
  readonly picture: Uint8Array
  readonly description?: string
  /** Pixels per centimetre. */
  readonly resolution?: number
}

/** A pyramid of plain tiles, classic or BigTIFF, in either byte order. */
export function makeTiff(levels: readonly TiffLevel[], { big = false, littleEndian = true } = {}): Buffer {
  const parts: Buffer[] = []
  let at = 0
  const add = (bytes: Buffer): number => {
    const place = at
    const padded = bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.of(0)])
    parts.push(padded)
    at += padded.length
    return place
  }
  const number = (value: number, bytes: number): Buffer => {
    const buffer = Buffer.alloc(bytes)
    const write = littleEndian ? ('LE' as const) : ('BE' as const)
    if (bytes === 8) buffer[`writeBigUInt64${write}`](BigInt(value))
    else buffer[`writeUInt${write}`](value, 0, bytes)
    return buffer
  }
  const word = big ? 8 : 4
  add(Buffer.alloc(big ? 16 : 8))
  const links: { place: number }[] = []
  const header = Buffer.concat(
    big
      ? [Buffer.from(littleEndian ? 'II' : 'MM'), number(43, 2), number(8, 2), number(0, 2)]
      : [Buffer.from(littleEndian ? 'II' : 'MM'), number(42, 2)],
  )
  const directories: number[] = []
  for (const level of levels) {
    const { width, height, tile, picture } = level
    const [columns, rows] = [Math.ceil(width / tile), Math.ceil(height / tile)]
    const offsets: number[] = []
    for (let index = 0; index < columns * rows; index++) {
      const bytes = Buffer.alloc(tile * tile * 3)
      for (let y = 0; y < tile; y++) {
        const [row, column] = [Math.floor(index / columns) * tile + y, (index % columns) * tile]
        if (row >= height) break
        const from = (row * width + column) * 3
        bytes.set(picture.subarray(from, from + Math.min(tile, width - column) * 3), y * tile * 3)
      }
      offsets.push(add(bytes))
    }
    const short = (...values: number[]): [number, number, Buffer] => [
      3,
      values.length,
      Buffer.concat(values.map((value) => number(value, 2))),
    ]
    const long = (...values: number[]): [number, number, Buffer] => [
      big ? 16 : 4,
      values.length,
      Buffer.concat(values.map((value) => number(value, word))),
    ]
    const entries: [number, [number, number, Buffer]][] = [
      [254, [4, 1, number(level === levels[0] ? 0 : 1, 4)]],
      [256, [4, 1, number(width, 4)]],
      [257, [4, 1, number(height, 4)]],
      [258, short(8, 8, 8)],
      [259, short(1)],
      [262, short(2)],
      ...(level.description === undefined
        ? []
        : [
            [270, [2, Buffer.byteLength(level.description) + 1, Buffer.from(`${level.description}\0`)]] as [
              number,
              [number, number, Buffer],
            ],
          ]),
      [277, short(3)],
      ...(level.resolution === undefined
        ? []
        : ([
            [282, [5, 1, Buffer.concat([number(level.resolution, 4), number(1, 4)])]],
            [283, [5, 1, Buffer.concat([number(level.resolution, 4), number(1, 4)])]],
            [296, short(3)],
          ] as [number, [number, number, Buffer]][])),
      [322, [4, 1, number(tile, 4)]],
      [323, [4, 1, number(tile, 4)]],
      [324, long(...offsets)],
      [325, long(...offsets.map(() => tile * tile * 3))],
    ]
    const encoded = entries.map(([tag, [type, count, value]]) => {
      const inline = value.length <= word
      const field = inline ? Buffer.concat([value, Buffer.alloc(word - value.length)]) : number(add(value), word)
      return Buffer.concat([number(tag, 2), number(type, 2), number(count, word), field])
    })
    const count = number(entries.length, big ? 8 : 2)
    const place = add(Buffer.concat([count, ...encoded, Buffer.alloc(word)]))
    directories.push(place)
    links.push({ place: place + count.length + encoded.length * (big ? 20 : 12) })
  }
  const file = Buffer.concat(parts)
  Buffer.concat([header, number(directories[0]!, word)]).copy(file)
  for (const [index, { place }] of links.entries()) number(directories[index + 1] ?? 0, word).copy(file, place)
  return file
}

/** A document of pages with one line of text each. */
export function makePdf(lines: readonly string[]): Buffer {
  const objects: string[] = []
  const add = (body: string): number => objects.push(body)
  add('<< /Type /Catalog /Pages 2 0 R >>')
  const first = 4
  add(`<< /Type /Pages /Count ${lines.length} /Kids [${lines.map((_, index) => `${first + 2 * index} 0 R`).join(' ')}] >>`)
  add('<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>')
  for (const [index, line] of lines.entries()) {
    add(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F 3 0 R >> >> /Contents ${first + 2 * index + 1} 0 R >>`,
    )
    const content = `BT /F 24 Tf 72 720 Td (${line.replaceAll(/[()\\]/g, '')}) Tj ET`
    add(`<< /Length ${content.length} >>\nstream\n${content}\nendstream`)
  }
  let file = '%PDF-1.4\n'
  const offsets = objects.map((body, index) => {
    const at = file.length
    file += `${index + 1} 0 obj\n${body}\nendobj\n`
    return at
  })
  const table = file.length
  file += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${offsets.map((at) => `${String(at).padStart(10, '0')} 00000 n \n`).join('')}`
  file += `trailer << /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${table}\n%%EOF\n`
  return Buffer.from(file, 'latin1')
}

/** A Parquet file of two columns, plain and not packed: `id` INT64 and `word` UTF8, in row groups. */
export function makeParquet(rows: readonly { readonly id: number; readonly word: string }[], groupRows: number): Buffer {
  const parts: Buffer[] = [Buffer.from('PAR1')]
  let at = 4
  const groups: Buffer[] = []
  for (let first = 0; first < rows.length; first += groupRows) {
    const group = rows.slice(first, first + groupRows)
    const ids = Buffer.concat(group.map(({ id }) => int64(id)))
    const words = Buffer.concat(group.map(({ word }) => Buffer.concat([int32(Buffer.byteLength(word)), Buffer.from(word)])))
    const chunks = [
      { name: 'id', type: 2, data: ids },
      { name: 'word', type: 6, data: words },
    ].map(({ name, type, data }) => {
      const header = struct([
        [1, I32, zigzag(0)],
        [2, I32, zigzag(data.length)],
        [3, I32, zigzag(data.length)],
        [
          5,
          STRUCT,
          struct([
            [1, I32, zigzag(group.length)],
            [2, I32, zigzag(0)],
            [3, I32, zigzag(3)],
            [4, I32, zigzag(3)],
          ]),
        ],
      ])
      const place = at
      parts.push(header, data)
      at += header.length + data.length
      const meta = struct([
        [1, I32, zigzag(type)],
        [2, LIST, list(I32, [zigzag(0)])],
        [3, LIST, list(BINARY, [binary(name)])],
        [4, I32, zigzag(0)],
        [5, I64, zigzag(group.length)],
        [6, I64, zigzag(header.length + data.length)],
        [7, I64, zigzag(header.length + data.length)],
        [9, I64, zigzag(place)],
      ])
      return struct([
        [2, I64, zigzag(place)],
        [3, STRUCT, meta],
      ])
    })
    groups.push(
      struct([
        [1, LIST, list(STRUCT, chunks)],
        [2, I64, zigzag(ids.length + words.length)],
        [3, I64, zigzag(group.length)],
      ]),
    )
  }
  const footer = struct([
    [1, I32, zigzag(1)],
    [
      2,
      LIST,
      list(STRUCT, [
        struct([
          [4, BINARY, binary('schema')],
          [5, I32, zigzag(2)],
        ]),
        struct([
          [1, I32, zigzag(2)],
          [3, I32, zigzag(0)],
          [4, BINARY, binary('id')],
        ]),
        struct([
          [1, I32, zigzag(6)],
          [3, I32, zigzag(0)],
          [4, BINARY, binary('word')],
          [6, I32, zigzag(0)],
        ]),
      ]),
    ],
    [3, I64, zigzag(rows.length)],
    [4, LIST, list(STRUCT, groups)],
  ])
  return Buffer.concat([...parts, footer, int32(footer.length), Buffer.from('PAR1')])
}

/** Types of Thrift's compact protocol. */
const [I32, I64, BINARY, LIST, STRUCT] = [5, 6, 8, 9, 12] as const

function struct(fields: readonly (readonly [number, number, Buffer])[]): Buffer {
  let last = 0
  const parts = fields.map(([id, type, value]) => {
    const head = Buffer.of(((id - last) << 4) | type)
    last = id
    return Buffer.concat([head, value])
  })
  return Buffer.concat([...parts, Buffer.of(0)])
}

function list(type: number, items: readonly Buffer[]): Buffer {
  const head = items.length < 15 ? Buffer.of((items.length << 4) | type) : Buffer.concat([Buffer.of(0xf0 | type), varint(items.length)])
  return Buffer.concat([head, ...items])
}

function binary(text: string): Buffer {
  return Buffer.concat([varint(Buffer.byteLength(text)), Buffer.from(text)])
}

function zigzag(value: number): Buffer {
  return varint(value * 2)
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let left = value
  while (left >= 128) {
    bytes.push((left % 128) | 128)
    left = Math.floor(left / 128)
  }
  return Buffer.of(...bytes, left)
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return bytes
}

function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(BigInt(value))
  return bytes
}
