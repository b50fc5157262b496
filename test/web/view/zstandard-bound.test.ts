// A frame of Zstandard says what it would unpack to before anything is unpacked.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { zstdCompressSync, constants } from 'node:zlib'
import { unpacksWithin } from '../../../web/src/view/slide/zstandard-bound.ts'

const tile = Buffer.from(Array.from({ length: 256 * 256 * 3 }, (_, index) => (index * 7 + (index >> 5)) & 0xff))

test('frames of real encoders are within the size of their tile', () => {
  for (const bytes of [tile, Buffer.alloc(tile.length), Buffer.alloc(10, 1), Buffer.from(crypto.getRandomValues(new Uint8Array(60_000)))])
    for (const params of [{}, { [constants.ZSTD_c_checksumFlag]: 1 }, { [constants.ZSTD_c_contentSizeFlag]: 0 }])
      assert.ok(unpacksWithin(zstdCompressSync(bytes, { params }), bytes.length))
})

test('what is larger, made of runs, cut off or something else is refused', () => {
  const large = zstdCompressSync(Buffer.alloc(2 ** 26))
  assert.equal(unpacksWithin(large, tile.length), false)
  const unsaid = zstdCompressSync(Buffer.alloc(2 ** 26), { params: { [constants.ZSTD_c_contentSizeFlag]: 0 } })
  assert.equal(unpacksWithin(unsaid, tile.length), false)
  const run = [((128 * 1024) << 3) | 2, 0].slice(0, 1).flatMap((header) => [header & 255, (header >> 8) & 255, (header >> 16) & 255, 0])
  const bomb = Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x58, ...Array.from({ length: 1000 }, () => run).flat()])
  assert.equal(unpacksWithin(bomb, tile.length), false)
  const good = zstdCompressSync(tile)
  for (let length = 0; length < good.length; length++) assert.equal(unpacksWithin(good.subarray(0, length), tile.length), false)
  assert.equal(unpacksWithin(Buffer.concat([good, good]), tile.length), false)
  assert.equal(unpacksWithin(new Uint8Array(100), tile.length), false)
})
