// Answers to PROPFIND: whatever comes, in whatever pieces, it is entries or a refusal; never a hang, nor another exception.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { utf8 } from '#base'
import { type DavEntry, MultistatusReader, NoMultistatus } from '../../../src/storage/locations/webdav/multistatus.ts'

function read(pieces: readonly Uint8Array[]): readonly DavEntry[] | undefined {
  const reader = new MultistatusReader()
  try {
    for (const piece of pieces) reader.push(piece)
    return reader.end()
  } catch (error) {
    assert.ok(error instanceof NoMultistatus, String(error))
    return undefined
  }
}

describe('answers to PROPFIND', () => {
  it('any bytes are entries or a refusal', () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), (pieces) => void read(pieces)))
    const piece = fc.constantFrom(
      '<D:multistatus xmlns:D="DAV:">',
      '</D:multistatus>',
      '<multistatus>',
      '</multistatus>',
      '<response>',
      '</response>',
      '<href>/a</href>',
      '<href>',
      '<propstat><prop><getcontentlength>5</getcontentlength></prop><status>HTTP/1.1 200 OK</status></propstat>',
      '<collection/>',
      '&lt;',
      '&x;',
      '<!DOCTYPE a>',
      '<![CDATA[',
      ']]>',
      'text',
      '<',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => void read(pieces.map((each) => utf8(each)))),
      { numRuns: 2000 },
    )
  })

  it('entries are the same in pieces of any size, with any prefix', () => {
    const name = fc.string({ unit: fc.constantFrom(...'aé %&<üz09'.split('')), minLength: 1, maxLength: 12 })
    const entry = fc.record({ name, sizeBytes: fc.option(fc.nat(), { nil: undefined }) })
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 6 }),
        fc.constantFrom('', 'D:', 'lp1:'),
        fc.integer({ min: 1, max: 50 }),
        (entries, p, step) => {
          const xml = entries.map(({ name: each, sizeBytes }) => {
            const type =
              sizeBytes === undefined
                ? `<${p}resourcetype><${p}collection/></${p}resourcetype>`
                : `<${p}resourcetype/><${p}getcontentlength>${sizeBytes}</${p}getcontentlength>`
            const refused = `<${p}propstat><${p}prop><${p}getcontentlength>99</${p}getcontentlength></${p}prop><${p}status>HTTP/1.1 404 Not Found</${p}status></${p}propstat>`
            const good = `<${p}propstat><${p}prop>${type}</${p}prop><${p}status>HTTP/1.1 200 OK</${p}status></${p}propstat>`
            return `<${p}response><${p}href>http://h/x/${encodeURIComponent(each)}</${p}href>${good}${refused}</${p}response>`
          })
          const bytes = utf8(
            `<?xml version="1.0" encoding="utf-8"?><${p}multistatus xmlns:${p === '' ? 'x' : p.slice(0, -1)}="DAV:">${xml.join('\n')}</${p}multistatus>`,
          )
          const expected = entries.map(({ name: each, sizeBytes }) => ({
            path: `/x/${each}`,
            isFolder: sizeBytes === undefined,
            sizeBytes,
            modifiedMs: undefined,
          }))
          assert.deepEqual(read([bytes]), expected)
          assert.deepEqual(
            read(Array.from({ length: Math.ceil(bytes.length / step) }, (_, index) => bytes.subarray(index * step, (index + 1) * step))),
            expected,
          )
        },
      ),
    )
  })
})
