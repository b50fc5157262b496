// Tables: where records end, what is in their fields, which rows are drawn, and where a region lies; for files of any length.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { type Bytes, bytesOfMemory } from '../../../web/src/view/bytes.ts'
import { CannotShow } from '../../../web/src/view/cannot-show.ts'
import { blockAt, unpackBlocks } from '../../../web/src/view/table/bgzf.ts'
import { findRows } from '../../../web/src/view/table/find-region.ts'
import { openParquet } from '../../../web/src/view/table/parquet-source.ts'
import {
  fieldsOf,
  firstIsHeader,
  guessSeparator,
  RECORD_BYTES_MAX,
  recordsOf,
  type Separator,
} from '../../../web/src/view/table/records.ts'
import { parseRegion } from '../../../web/src/view/table/region.ts'
import { createRowIndex } from '../../../web/src/view/table/row-index.ts'
import { blockRun, plainRun, type Run } from '../../../web/src/view/table/run.ts'
import { orderOf } from '../../../web/src/view/table/table-order.ts'
import { contentPixels, HEIGHT_PIXELS_MAX, scrollTo, windowAt } from '../../../web/src/view/table/table-window.ts'
import { parseTextIndex } from '../../../web/src/view/table/tabix.ts'
import { openTextTable } from '../../../web/src/view/table/text-table.ts'
import { makeParquet } from './file-makers.ts'
import { filesOf, hasProgram, run } from './real-files.ts'

const never = new AbortController().signal
const folder = mkdtempSync(join(tmpdir(), 'quorate-table-'))
after(() => rmSync(folder, { recursive: true, force: true }))

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** As every spreadsheet writes it. */
function written(rows: readonly (readonly string[])[], separator: string): string {
  const field = (text: string): string => (/[",;\t|\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  return rows.map((row) => `${row.map(field).join(separator)}\r\n`).join('')
}

/** Gives pieces of another length than was asked for, as blocks do. */
function choppy(whole: Run, lengths: readonly number[]): Run {
  let turn = 0
  return {
    ...whole,
    piece: (from, length, signal) => whole.piece(from, Math.max(length > 4096 ? 1 : length, lengths[turn++ % lengths.length]!), signal),
  }
}

describe('records', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', '1', '"', ',', ';', '\n', '\t', ' ', 'ü', '='), maxLength: 8 })
  // A record of one empty field is an empty line.
  const table = fc
    .integer({ min: 2, max: 5 })
    .chain((columns) => fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), { minLength: 1, maxLength: 30 }))

  it('law: what was written comes back, in pieces of any length', async () => {
    await fc.assert(
      fc.asyncProperty(
        table,
        fc.constantFrom<Separator>(',', ';', '\t'),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
        async (rows, separator, lengths) => {
          const dialect = { separator, quotes: true }
          const text = written(rows, separator)
          assert.deepEqual(recordsOf(text, dialect, 1000), rows)
          const index = createRowIndex({
            run: choppy(plainRun(bytesOfMemory(bytesOf(text))), lengths),
            from: 0,
            dialect,
            encoding: 'utf-8',
          })
          while (await index.extend(never, lengths[0]));
          assert.equal(index.count, rows.length)
          assert.deepEqual(await index.rows(0, rows.length + 5, never), rows)
          const from = Math.floor(rows.length / 2)
          assert.deepEqual(await index.rows(from, 3, never), rows.slice(from, from + 3))
        },
      ),
      { numRuns: 300, verbose: true },
    )
  })

  it('a quote that is never closed does not swallow the file', async () => {
    const text = `a,b\n"open,${'x'.repeat(3 * RECORD_BYTES_MAX)}\nlast,row\n`
    const index = createRowIndex({
      run: plainRun(bytesOfMemory(bytesOf(text))),
      from: 0,
      dialect: { separator: ',', quotes: true },
      encoding: 'utf-8',
    })
    while (await index.extend(never));
    const rows = await index.rows(0, index.count, never)
    assert.deepEqual(rows.at(-1), ['last', 'row'])
    assert.ok(rows.every((row) => row.join(',').length <= RECORD_BYTES_MAX))
  })

  it('guesses what separates, and whether the first row names the columns', () => {
    assert.equal(guessSeparator('a;b;c\n1,5;2,5;x\n3,5;4,5;y\n'), ';')
    assert.equal(guessSeparator('a\tb\n1, 2\t3\n'), '\t')
    assert.equal(guessSeparator('a|b\n1|2\n'), '|')
    assert.equal(guessSeparator('one column\n'), ',')
    assert.equal(
      firstIsHeader([
        ['id', 'name'],
        ['1', 'x'],
      ]),
      true,
    )
    assert.equal(
      firstIsHeader([
        ['1', 'x'],
        ['2', 'y'],
      ]),
      false,
    )
    assert.equal(
      firstIsHeader([
        ['x', 'x'],
        ['2', 'y'],
      ]),
      false,
    )
    assert.deepEqual(fieldsOf('=1+1,"=HYPERLINK(""x"")"', { separator: ',', quotes: true }), ['=1+1', '=HYPERLINK("x")'])
  })

  it('a million rows cost a few thousand numbers', async () => {
    const line = bytesOf('123456,some text,7\n')
    const rows = 1_000_000
    const endless: Bytes = {
      sizeBytes: rows * line.length,
      read: async (first, length) => {
        const part = new Uint8Array(Math.max(0, Math.min(length, rows * line.length - first)))
        for (let at = 0; at < part.length; at++) part[at] = line[(first + at) % line.length]!
        return part
      },
    }
    const index = createRowIndex({ run: plainRun(endless), from: 0, dialect: { separator: ',', quotes: true }, encoding: 'utf-8' })
    const before = process.memoryUsage().arrayBuffers
    while (await index.extend(never));
    assert.equal(index.count, rows)
    assert.equal(index.share, 1)
    assert.deepEqual(await index.rows(rows - 1, 10, never), [['123456', 'some text', '7']])
    assert.ok(process.memoryUsage().arrayBuffers - before < 64 * 2 ** 20)
  })

  it('a scan that is broken off has changed nothing, and goes on', async () => {
    const text = Array.from({ length: 5000 }, (_, row) => `${row},x`).join('\n')
    const index = createRowIndex({
      run: plainRun(bytesOfMemory(bytesOf(text))),
      from: 0,
      dialect: { separator: ',', quotes: true },
      encoding: 'utf-8',
    })
    const stop = new AbortController()
    stop.abort()
    await assert.rejects(index.extend(stop.signal), { name: 'AbortError' })
    assert.equal(index.count, 0)
    await Promise.all([index.extend(never, 10_000), index.extend(never, 10_000)])
    while (await index.extend(never));
    assert.equal(index.count, 5000)
    assert.deepEqual(await index.rows(4999, 1, never), [['4999', 'x']])
  })
})

describe('tables of text', () => {
  const open = (text: string | Uint8Array, format: 'csv' | 'tsv' | 'bed' | 'vcf', choice = {}): ReturnType<typeof openTextTable> =>
    openTextTable({ bytes: bytesOfMemory(typeof text === 'string' ? bytesOf(text) : text), blocks: false, format, choice }, never)

  it('the header, a byte order mark, other encodings', async () => {
    const table = await open('\ufeffname;size\nMüller;1,80\n', 'csv')
    assert.deepEqual([table.source.columns, table.header, table.dialect.separator], [['name', 'size'], true, ';'])
    await table.source.extend(never)
    assert.deepEqual(await table.source.rows(0, 9, never), [['Müller', '1,80']])
    const latin = await open(new Uint8Array(Buffer.from('name,x\nM\u00fcller,1\n', 'latin1')), 'csv')
    await latin.source.extend(never)
    assert.deepEqual([latin.encoding, await latin.source.rows(0, 1, never)], ['windows-1252', [['Müller', '1']]])
    const chosen = await open('a,b\nc,d\n', 'csv', { header: false })
    await chosen.source.extend(never)
    assert.deepEqual([chosen.source.columns, chosen.source.count], [['1', '2'], 2])
    await assert.rejects(
      open(new Uint8Array(Buffer.from('\ufeffa,b', 'utf16le')), 'csv'),
      (error: unknown) => error instanceof CannotShow && error.reason === 'no-table',
    )
  })

  it('regions and variants: comments are no rows', async () => {
    const bed = await open('track name=x\n#c\nchr1\t10\t20\tn\nchr2\t5\t6\tm\n', 'bed')
    await bed.source.extend(never)
    assert.deepEqual(await bed.source.rows(0, 9, never), [
      ['chr1', '10', '20', 'n'],
      ['chr2', '5', '6', 'm'],
    ])
    const vcf = await open('##fileformat=VCFv4.2\n##x\n#CHROM\tPOS\tID\n1\t5\t.\n', 'vcf')
    await vcf.source.extend(never)
    assert.deepEqual([vcf.source.columns, await vcf.source.rows(0, 9, never)], [['CHROM', 'POS', 'ID'], [['1', '5', '.']]])
    await assert.rejects(
      open('##fileformat=VCFv4.2\n', 'vcf'),
      (error: unknown) => error instanceof CannotShow && error.reason === 'damaged',
    )
  })
})

describe('order', () => {
  it('is of numbers where all are numbers, else as people order; empty ones are last, equal ones stay', () => {
    assert.deepEqual([...orderOf(['10', '9', '', '1,5', '9'], false, 'en')], [3, 1, 4, 0, 2])
    assert.deepEqual([...orderOf(['10', '9', '', '1,5', '9'], true, 'en')], [0, 1, 4, 3, 2])
    assert.deepEqual([...orderOf(['chr10', 'chr9', 'Äpfel', 'zu'], false, 'de')], [2, 1, 0, 3])
  })
})

describe('the window of a long table', () => {
  it('law: every row can be reached, the rows drawn are those seen, and the page is never too tall', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500_000_000 }),
        fc.integer({ min: 20, max: 60 }),
        fc.integer({ min: 60, max: 3000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (rows, rowPixels, viewPixels, share) => {
          const shape = { rows, rowPixels, viewPixels }
          assert.ok(contentPixels(shape) <= HEIGHT_PIXELS_MAX)
          const row = Math.floor(share * (rows - 1))
          const shown = windowAt(scrollTo(row, shape), shape)
          assert.ok(shown.first >= 0 && shown.end <= rows && shown.end - shown.first <= viewPixels / rowPixels + 2)
          assert.ok(shown.first <= row && row < shown.end, `${row} is not in ${shown.first} to ${shown.end}`)
          assert.equal(windowAt(Infinity, shape).end, rows)
        },
      ),
      { numRuns: 2000, verbose: true },
    )
  })
})

describe('blocks', () => {
  it('of a real file unpack to what gzip says, whole and from any position', async (t) => {
    const data = await filesOf('r-bioc-variantannotation', t)
    if (data === undefined) return
    const packed = readFileSync(join(data, 'chr22.vcf.gz'))
    const whole = gunzipSync(packed)
    const bytes = bytesOfMemory(new Uint8Array(packed))
    assert.ok(whole.equals(await unpackBlocks(bytes, whole.length)))
    await assert.rejects(
      unpackBlocks(bytes, whole.length - 1),
      (error: unknown) => error instanceof CannotShow && error.reason === 'packed',
    )
    const run = blockRun(bytes)
    const first = await run.piece(0, 200_000)
    for (const index of [0, 1, 65_279, 65_280, 65_281, 150_000]) {
      const again = await run.piece(first.positionAt(index), 100)
      assert.ok(whole.subarray(index, index + 100).equals(again.bytes.subarray(0, 100)), `from ${index}`)
    }
    const behind = await run.piece(first.positionAt(first.bytes.length), 100)
    assert.ok(whole.subarray(first.bytes.length, first.bytes.length + 100).equals(behind.bytes.subarray(0, 100)))
    const table = await openTextTable({ bytes, blocks: true, format: 'vcf', choice: {} }, never)
    while (await table.source.extend(never));
    assert.equal(table.source.count, 10_376)
    const lines = whole
      .toString()
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
    for (const row of [0, 255, 256, 5000, 10_375]) assert.deepEqual(await table.source.rows(row, 1, never), [lines[row]!.split('\t')])
  })

  it('that are cut off or no blocks are refused', async () => {
    await assert.rejects(
      blockAt(bytesOfMemory(new Uint8Array(30)), 0),
      (error: unknown) => error instanceof CannotShow && error.reason === 'damaged',
    )
    await assert.rejects(
      blockAt(bytesOfMemory(Uint8Array.of(0x1f, 0x8b)), 0),
      (error: unknown) => error instanceof CannotShow && error.reason === 'truncated',
    )
  })

  it('law: hostile blocks and indexes are refused with a reason', async () => {
    const block = Buffer.from('1f8b08040000000000ff0600424302001b0003000000000000000000', 'hex')
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(27), fc.nat(255)), { maxLength: 6 }),
        fc.uint8Array({ maxLength: 200 }),
        fc.boolean(),
        async (changes, junk, csi) => {
          const bytes = Uint8Array.from(block)
          for (const [at, value] of changes) bytes[at] = value
          const read = async (): Promise<void> => {
            await unpackBlocks(bytesOfMemory(bytes), 1000)
          }
          await read().catch((error: unknown) => assert.ok(error instanceof CannotShow, String(error)))
          try {
            parseTextIndex(Uint8Array.of(...(csi ? [0x43, 0x53, 0x49, 1] : [0x54, 0x42, 0x49, 1]), ...junk))
          } catch (error) {
            assert.ok(error instanceof CannotShow, String(error))
          }
        },
      ),
      { numRuns: 1000, verbose: true },
    )
  })
})

describe('regions', () => {
  it('are written in many ways', () => {
    assert.deepEqual(parseRegion('chr22:50300078'), { chromosome: 'chr22', start: 50_300_078, end: 50_300_078 })
    assert.deepEqual(parseRegion(' 22:50,300,000-50.301.000 '), { chromosome: '22', start: 50_300_000, end: 50_301_000 })
    assert.equal(parseRegion('X')?.chromosome, 'X')
    for (const wrong of ['', 'chr1:', 'chr1:5-3', 'chr1:x', 'a b', 'chr1:0']) assert.equal(parseRegion(wrong), undefined, wrong)
  })

  it('the index of another program finds the same rows as reading all of it, and reads far less', async (t) => {
    const data = await filesOf('r-bioc-variantannotation', t)
    if (data === undefined || !hasProgram('tabix', 'tabix', t)) return
    const packed = readFileSync(join(data, 'chr22.vcf.gz'))
    writeFileSync(join(folder, 'x.vcf.gz'), packed)
    run('tabix', ['-f', '-p', 'vcf', join(folder, 'x.vcf.gz')])
    run('tabix', ['-f', '-C', '-p', 'vcf', join(folder, 'x.vcf.gz')])
    let read = 0
    const memory = bytesOfMemory(new Uint8Array(packed))
    const bytes: Bytes = {
      sizeBytes: memory.sizeBytes,
      read: async (first, length, signal) => {
        read += length
        return memory.read(first, length, signal)
      },
    }
    const table = await openTextTable({ bytes, blocks: true, format: 'vcf', choice: {} }, never)
    const indexes = await Promise.all(
      ['tbi', 'csi'].map(async (ending) =>
        parseTextIndex(await unpackBlocks(bytesOfMemory(new Uint8Array(readFileSync(join(folder, `x.vcf.gz.${ending}`)))), 2 ** 20)),
      ),
    )
    for (const text of ['chr22:50300078', '22:50600000-50610000', '22:50999964', '22:1-50300100', '22:40000000-41000000']) {
      const region = parseRegion(text)!
      const search = { table, region, signal: never, progress: () => undefined }
      // What tabix takes as up to the end is one position here.
      const asked = text.includes('-') ? text : `${text}-${region.start}`
      const wanted = run('tabix', [join(folder, 'x.vcf.gz'), asked.replace('chr', '')]).toString()
      const lines = async (index: (typeof indexes)[number] | undefined): Promise<string> =>
        (await findRows({ ...search, index })).rows.map((row) => `${row.join('\t')}\n`).join('')
      // Not deepEqual: the difference of long texts takes a machine down.
      assert.ok((await lines(undefined)) === wanted, `${text} without an index`)
      for (const index of indexes) assert.ok((await lines(index)) === wanted, `${text} with an index`)
    }
    read = 0
    await findRows({ table, region: parseRegion('22:50999964')!, index: indexes[0], signal: never, progress: () => undefined })
    assert.ok(read < packed.length / 2, `${read} of ${packed.length} bytes`)
  })
})

describe('Parquet', () => {
  const rows = Array.from({ length: 5000 }, (_, id) => ({ id, word: `Wort ${id} ü` }))
  const file = makeParquet(rows, 1000)

  it('rows come from their group alone', async () => {
    let read = 0
    const memory = bytesOfMemory(new Uint8Array(file))
    const bytes: Bytes = {
      sizeBytes: memory.sizeBytes,
      read: async (first, length, signal) => {
        read += length
        return memory.read(first, length, signal)
      },
    }
    const source = await openParquet(bytes, never)
    assert.deepEqual([source.columns, source.count], [['id', 'word'], 5000])
    assert.deepEqual(
      await source.rows(2998, 4, never),
      rows.slice(2998, 3002).map(({ id, word }) => [String(id), word]),
    )
    assert.ok(read < file.length * 0.7, `${read} of ${file.length}`)
    assert.deepEqual(await source.rows(4999, 10, never), [['4999', 'Wort 4999 ü']])
  })

  it('what is cut off or changed is refused', async () => {
    await assert.rejects(
      openParquet(bytesOfMemory(new Uint8Array(file.subarray(0, 3000))), never),
      (error: unknown) => error instanceof CannotShow && error.reason === 'truncated',
    )
    const lying = new Uint8Array(file)
    new DataView(lying.buffer).setUint32(lying.length - 8, 0x7fffffff, true)
    await assert.rejects(
      openParquet(bytesOfMemory(lying), never),
      (error: unknown) => error instanceof CannotShow && error.reason === 'damaged',
    )
    const broken = new Uint8Array(file)
    broken.fill(0xff, broken.length - 60, broken.length - 8)
    await assert.rejects(openParquet(bytesOfMemory(broken), never), (error: unknown) => error instanceof CannotShow)
  })
})
