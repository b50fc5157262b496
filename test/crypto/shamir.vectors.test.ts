// Published shares in GF(2^8)/0x11b, read by the scalar twin and by both builds of the kernel.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { concat, fromHex } from '#base'
import { combineBytes, interpolateBytes } from '#crypto'
import { inverse, multiply } from '../../src/crypto/gf256.ts'
import { publishedTest } from './published.ts'
import { BUILDS, rowKernel, subsets } from './rows.ts'

test('FIPS 197 sections 4.2 and 4.2.1: products in the field of AES', () => {
  assert.equal(multiply(0x57, 0x83), 0xc1)
  assert.equal(multiply(0x57, 0x13), 0xfe)
  assert.deepEqual(
    [0x02, 0x04, 0x08, 0x10].map((factor) => multiply(0x57, factor)),
    [0xae, 0x47, 0x8e, 0x07],
  )
  assert.equal(inverse(0x53), 0xca)
})

test('draft-mcgrew-tss-03 section 9: two shares of "test" and a zero byte', async () => {
  await bothRead({ xs: [1, 2], shares: [fromHex('b9fa07e185'), fromHex('f5409b4511')], secret: fromHex('7465737400') })
})

interface TssFile {
  readonly vectors: readonly {
    readonly secret_hex: string
    readonly threshold: number
    readonly hash_id: number | null
    readonly shares: readonly { readonly index: number; readonly hex: string }[]
  }[]
}

publishedTest(
  'threshold secret sharing: the draft and the shares of Python tss',
  'shamir/tss-draft-and-python.json',
  async (file: TssFile) => {
    let executed = 0
    for (const vector of file.vectors) {
      const secret = fromHex(vector.secret_hex)
      const hash = { 0: undefined, 1: 'sha1', 2: 'sha256' }[vector.hash_id ?? 0]
      const whole = hash ? concat(secret, createHash(hash).update(secret).digest()) : secret
      for (const subset of subsets(vector.shares.length, vector.threshold)) {
        const chosen = subset.map((index) => vector.shares[index - 1]!)
        await bothRead({ xs: chosen.map((share) => share.index), shares: chosen.map((share) => fromHex(share.hex)), secret: whole })
        executed++
      }
    }
    return executed
  },
)

interface SskrFile {
  readonly vectors: readonly { readonly secret: string; readonly threshold: number; readonly shares: readonly string[] }[]
}

publishedTest('SSKR: shares at x = index, the secret at x = 255', 'shamir/bc-shamir-sskr.json', async (file: SskrFile) => {
  const kernels = await Promise.all(BUILDS.map(rowKernel))
  let executed = 0
  for (const vector of file.vectors) {
    const all = vector.shares.map(fromHex)
    const everywhere = all.map((_, index) => index)
    for (const subset of subsets(all.length, vector.threshold)) {
      const xs = subset.map((index) => index - 1)
      const from = xs.map((x) => all[x]!)
      const expected = [fromHex(vector.secret), ...all]
      const at = [255, ...everywhere]
      assert.deepEqual(interpolateBytes({ xs, shares: from, at }), expected)
      for (const kernel of kernels) assert.deepEqual(kernel.interpolate({ xs, from, at }), expected)
      executed++
    }
  }
  return executed
})

async function bothRead({
  xs,
  shares,
  secret,
}: {
  xs: readonly number[]
  shares: readonly Uint8Array[]
  secret: Uint8Array
}): Promise<void> {
  assert.deepEqual(combineBytes({ xs, shares }), secret)
  for (const build of BUILDS) assert.deepEqual((await rowKernel(build)).combine({ xs, shares }), secret)
}
