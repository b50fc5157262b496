// What a file is, by its first bytes, and what its name has to say in it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodingOf, markBytes, wholeCharacters } from '../../../web/src/view/encoding.ts'
import { kindOf } from '../../../web/src/view/kind.ts'
import { unpack, unpackStart } from '../../../web/src/view/inflate.ts'
import { gzipSync } from 'node:zlib'
import { CannotShow } from '../../../web/src/view/cannot-show.ts'
import { pictureSize } from '../../../web/src/view/image/picture-size.ts'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const hex = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value.padEnd(64, '0'), 'hex'))

test('content decides, the name only where content leaves a choice', () => {
  const cases: readonly [Uint8Array, string, string, string][] = [
    [hex('89504e470d0a1a0a'), 'a.txt', 'image', 'png'],
    [hex('ffd8ffe0'), 'scan.dcm', 'image', 'jpeg'],
    [hex('49492a00'), 'a.svs', 'tiff', 'tiff'],
    [hex('4d4d002b'), 'a', 'tiff', 'tiff'],
    [hex('524946460000000057454250'), 'a', 'image', 'webp'],
    [hex('0000001c66747970617669660000'), 'a', 'image', 'avif'],
    [hex('50415231'), 'a', 'parquet', 'parquet'],
    [hex('1f8b0804000000000006060042430200'.replace('0006060042', '00ff060042')), 'a.vcf.gz', 'gzip', 'bgzip'],
    [hex('1f8b0800'), 'a.csv.gz', 'gzip', 'gzip'],
    [hex('504b0304'), 'a.docx', 'other', 'office'],
    [hex('504b0304'), 'a', 'other', 'zip'],
    [text('%PDF-1.7'), 'a', 'pdf', 'pdf'],
    [text('##fileformat=VCFv4.2\n'), 'a.txt', 'variants', 'vcf'],
    [text('a,b\n1,2\n'), 'a.csv', 'table', 'csv'],
    [text('a,b\n1,2\n'), 'a.txt', 'text', 'text'],
    [text('chr1\t1\t2\n'), 'a.bed', 'table', 'bed'],
    [text('{"a":1}'), 'a.json', 'text', 'json'],
    [text('<!doctype html><script>alert(1)</script>'), 'a.jpg', 'text', 'html'],
    [text('<html>'), 'a.csv', 'text', 'html'],
    [Uint8Array.of(0, 1, 2, 3, 0xfe), 'a.txt', 'other', 'unknown'],
  ]
  for (const [head, name, family, format] of cases) {
    const kind = kindOf(head, name)
    assert.deepEqual([kind.family, kind.format], [family, format], name)
  }
  assert.equal(kindOf(text('<html>'), 'a.jpg').misnamed, true)
  assert.equal(kindOf(hex('ffd8ff'), 'a.JPG').misnamed, undefined)
})

test('DICOM without its preamble is DICOM', () => {
  const element = Buffer.from('08000500 4353 0a00 49534f5f4952203130302000'.replaceAll(' ', ''), 'hex')
  assert.equal(kindOf(element, 'IM1').family, 'dicom')
})

test('law: no bytes make it throw, and the first bytes alone decide', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.string(), (head, name) => {
      kindOf(head, name)
      encodingOf(head)
      for (const format of ['png', 'gif', 'bmp', 'jpeg', 'webp', 'avif']) pictureSize(head, format)
    }),
    { numRuns: 2000, verbose: true },
  )
})

test('law: text in any of the encodings is recognised or at least never torn', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 40 }), fc.nat(60), (words, cut) => {
      const bytes = text(words)
      const part = bytes.subarray(0, Math.max(0, bytes.length - cut))
      const end = wholeCharacters(part, 'utf-8')
      assert.ok(part.length - end < 4)
      assert.doesNotThrow(() => new TextDecoder('utf-8', { fatal: true }).decode(part.subarray(0, end)))
    }),
    { verbose: true },
  )
  const sixteen = Buffer.from('Name;Größe\nMüller;1,80\n', 'utf16le')
  assert.equal(encodingOf(sixteen), 'utf-16le')
  assert.equal(encodingOf(Buffer.from(sixteen).swap16()), 'utf-16be')
  assert.equal(encodingOf(Buffer.from('M\u00fcller', 'latin1')), 'windows-1252')
  assert.equal(markBytes(Buffer.from('\ufeffabc'), 'utf-8'), 3)
})

test('a bomb is refused, a cut-off file gives its beginning', async () => {
  const bomb = gzipSync(Buffer.alloc(50_000_000))
  await assert.rejects(unpack(bomb, 'gzip', 1_000_000), (error: unknown) => error instanceof CannotShow && error.reason === 'too-large')
  const long = Buffer.from(Array.from({ length: 100_000 }, (_, index) => `line ${index * 7919}\n`).join(''))
  const packed = gzipSync(long)
  const start = await unpackStart(packed.subarray(0, packed.length / 2), 'gzip', 65_536)
  assert.equal(start.length, 65_536)
  assert.ok(long.subarray(0, 65_536).equals(start))
  assert.deepEqual(await unpack(packed, 'gzip', long.length), new Uint8Array(long))
  await assert.rejects(
    unpack(packed.subarray(0, 1000), 'gzip', long.length),
    (error: unknown) => error instanceof CannotShow && error.reason === 'damaged',
  )
  assert.equal((await unpackStart(Uint8Array.of(1, 2, 3), 'gzip', 10)).length, 0)
})
