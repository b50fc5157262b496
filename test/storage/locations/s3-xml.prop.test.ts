// The XML of S3 answers: whatever comes, an element or nothing, never a hang or an exception.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { utf8 } from '#base'
import { child, childText, childrenOf, escapeXml, parseXml } from '../../../src/storage/locations/web/xml.ts'

describe('XML of S3', () => {
  it('any bytes are an element or nothing', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => void parseXml(bytes)))
    const piece = fc.constantFrom(
      '<a>',
      '</a>',
      '<b c="d">',
      '</b>',
      '<e/>',
      '&lt;',
      '&#0;',
      '&x;',
      '<!DOCTYPE a>',
      '<![CDATA[',
      ']]>',
      '<?xml version="1.0"?>',
      'text',
      '<',
      '&',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => void parseXml(utf8(pieces.join('')))),
      { numRuns: 1000 },
    )
  })

  it('text survives', () => {
    const text = fc
      .string({ unit: 'grapheme', maxLength: 50 })
      .filter((each) => !/[^\t\n\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u.test(each))
    fc.assert(
      fc.property(fc.array(text, { maxLength: 5 }), (texts) => {
        const xml = `<R>${texts.map((each) => `<K>${escapeXml(each)}</K>`).join('')}</R>`
        const root = parseXml(utf8(xml))
        assert.deepEqual(root === undefined ? undefined : childrenOf(root, 'K').map((each) => each.text), texts)
      }),
    )
  })

  it('prefixes and order of fields do not matter', () => {
    const root = parseXml(utf8('<?xml version="1.0" encoding="UTF-8"?>\n<s3:R xmlns:s3="x"><s3:B>2</s3:B><s3:A>1</s3:A></s3:R>'))
    assert.equal(root?.name, 'R')
    assert.equal(childText(root, 'A'), '1')
    assert.equal(child(root, 'C'), undefined)
  })

  it('refuses what is too much, twice, or begun and not ended', () => {
    for (const xml of [
      '',
      ' ',
      '<a>',
      '<a></b>',
      '<a/><b/>',
      '<!DOCTYPE a><a/>',
      '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
      '<a>&x;</a>',
      `${'<a>'.repeat(9)}${'</a>'.repeat(9)}`,
      `<a>${'<b/>'.repeat(50_001)}</a>`,
    ])
      assert.equal(parseXml(utf8(xml)), undefined, xml.slice(0, 40))
    assert.equal(parseXml(new Uint8Array(9 * 2 ** 20)), undefined)
    assert.equal(parseXml(Uint8Array.of(0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e)), undefined)
  })
})
