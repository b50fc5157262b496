// Who may write: the tree of certificates below the dealer, and what a removal takes with it.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { isFailure } from '#base'
import { random, type Signer, signer } from '#crypto/primitives'
import { dealerFingerprint, writerRoll } from '#format'
import { certifyWriter, parseWriterKeyLine, revokeWriter, writerKeyLine } from '../../src/storage/writers.ts'

const vault = 'ab'.repeat(16)
const make = (): Signer => signer({ mldsa65: random(32), ed25519: random(32) })
const [root, a, b, stranger] = [make(), make(), make(), make()]
const of = (one: Signer): string => dealerFingerprint(one.keys)
const certify = (by: Signer, whom: Signer, name: string, where = vault) => certifyWriter({ vault: where, keys: whom.keys, name }, by)
const active = (certificates: ReturnType<typeof certify>[], revocations: ReturnType<typeof revokeWriter>[] = []): string[] =>
  [...writerRoll({ vault, root: root.keys, certificates, revocations }).active.keys()].slice(1)

suite('the roll of writers', () => {
  const rootA = certify(root, a, 'a')
  const aB = certify(a, b, 'b')

  test('whoever a writer certified may write, in any order of the certificates', () => {
    assert.deepEqual(new Set(active([aB, rootA])), new Set([of(a), of(b)]))
    assert.deepEqual(active([aB]), [])
  })

  test('certificates of another vault, by strangers, or altered count for nothing', () => {
    assert.deepEqual(active([certify(root, a, 'a', 'cd'.repeat(16)), certify(stranger, b, 'b')]), [])
    assert.deepEqual(active([{ ...rootA, name: 'other' }]), [])
    assert.deepEqual(active([{ ...rootA, keys: { mldsa65: 'AA==', ed25519: '!' } }]), [])
    assert.deepEqual(active([rootA, { ...certify(stranger, b, 'b'), by: of(root) }]), [of(a)])
  })

  test('a removed writer takes those with him whom only he certified; others stay', () => {
    const gone = revokeWriter({ vault, writer: of(a) }, root)
    assert.deepEqual(active([rootA, aB], [gone]), [])
    assert.deepEqual(active([rootA, aB, certify(root, b, 'b')], [gone]), [of(b)])
    const roll = writerRoll({ vault, root: root.keys, certificates: [rootA, aB], revocations: [gone] })
    assert.deepEqual(new Set(roll.revoked.keys()), new Set([of(a), of(b)]))
  })

  test('only who stands above can remove, and nobody the dealer', () => {
    assert.deepEqual(new Set(active([rootA, certify(root, b, 'b')], [revokeWriter({ vault, writer: of(a) }, b)])), new Set([of(a), of(b)]))
    assert.deepEqual(active([rootA, aB], [revokeWriter({ vault, writer: of(b) }, a)]), [of(a)])
    assert.deepEqual(active([rootA], [revokeWriter({ vault, writer: of(root) }, a)]), [of(a)])
    assert.deepEqual(active([rootA, certify(a, root, 'root')]), [of(a)])
  })

  test('the key line comes back as it was; anything else is refused', () => {
    assert.equal(dealerFingerprint(parseWriterKeyLine(`${writerKeyLine(a.keys)}\n`)), of(a))
    for (const line of ['', 'quorate-writer-1 ', 'quorate-writer-1 AAAA', writerKeyLine(a.keys).slice(0, -4), `x${writerKeyLine(a.keys)}`])
      assert.throws(
        () => parseWriterKeyLine(line),
        (error) => isFailure(error, 'base.invalid'),
      )
  })
})
