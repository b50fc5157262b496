// Answers of SFTP servers: whatever comes, in whatever pieces, it is answers or a refusal; never a hang, never a byte outside a view.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { AnswerReader, type AnswerReceiver, GarbledError } from '../../../src/storage/locations/sftp/answers.ts'
import { ANSWER, type Answer, decodeAnswer, decodeExtensions, encodeRequest } from '../../../src/storage/locations/sftp/packets.ts'

function receiver(views: ReadonlyMap<number, Uint8Array> = new Map()): AnswerReceiver & { readonly heard: [number, Answer][] } {
  const heard: [number, Answer][] = []
  return {
    heard,
    viewFor: (id) => views.get(id),
    lengthFor: (id) => views.get(id)?.length,
    answered: (id, answer) => void heard.push([id, answer]),
    version: () => undefined,
  }
}

const HELLO = encodeRequest(ANSWER.version, 3, [])

describe('answers of SFTP servers', () => {
  it('are the same in pieces of any size', () => {
    const entry = fc.tuple(fc.string({ maxLength: 20 }), fc.bigInt({ min: 0n, max: 2n ** 50n }))
    const packet = fc.oneof(
      fc.record({ type: fc.constant(ANSWER.status), fields: fc.tuple(fc.nat(20), fc.string({ maxLength: 30 })) }),
      fc.record({ type: fc.constant(ANSWER.handle), fields: fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 30 })) }),
      fc.record({ type: fc.constant(ANSWER.data), fields: fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 64 })) }),
      fc.record({
        type: fc.constant(ANSWER.name),
        fields: fc
          .array(entry, { maxLength: 5 })
          .map((entries) => [entries.length, ...entries.flatMap(([name, size]) => [name, '-rw', 1, size])]),
      }),
    )
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (packets, steps) => {
        const bytes = Buffer.concat([
          HELLO,
          ...packets.map(({ type, fields }, id) => encodeRequest(type, id, fields as readonly (number | bigint | string | Uint8Array)[])),
        ])
        const hear = (sizes: readonly number[]): [[number, Answer][], Uint8Array[]] => {
          const views = new Map(packets.map((_, id) => [id, new Uint8Array(64)]))
          const to = receiver(views)
          const reader = new AnswerReader(to)
          for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
            const size = sizes[turn % sizes.length]!
            reader.push(bytes.subarray(at, at + size))
            at += size
          }
          return [to.heard, [...views.values()]]
        }
        const whole = hear([bytes.length])
        assert.equal(whole[0].length, packets.length)
        assert.deepEqual(hear(steps), whole)
        assert.deepEqual(hear([1]), whole)
      }),
    )
  })

  it('are refused or heard, whatever the bytes, and stay inside the view', () => {
    const around = new Uint8Array(300)
    const views = new Map(Array.from({ length: 256 }, (_, id) => [id, around.subarray(100, 200)]))
    const head = fc
      .tuple(fc.nat(40), fc.constantFrom(...Object.values(ANSWER), 0, 99), fc.nat(3))
      .map(([length, type, id]) => [0, 0, 0, length, type, 0, 0, 0, id])
    const bytes = fc.array(
      fc.oneof(
        head,
        fc.uint8Array({ maxLength: 40 }).map((each) => [...each]),
      ),
      { maxLength: 12 },
    )
    fc.assert(
      fc.property(bytes, (pieces) => {
        const reader = new AnswerReader(receiver(views))
        reader.push(HELLO)
        try {
          for (const piece of pieces) reader.push(Uint8Array.from(piece))
        } catch (error) {
          assert.ok(error instanceof GarbledError, String(error))
        }
        assert.ok(around.subarray(0, 100).every((byte) => byte === 0) && around.subarray(200).every((byte) => byte === 0))
      }),
      { numRuns: 2000 },
    )
  })

  it('decode or not, whatever the body', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.values(ANSWER), 7), fc.uint8Array({ maxLength: 200 }), (type, body) => {
        decodeAnswer(type, body)
        const extensions = decodeExtensions(body, 4)
        assert.ok(extensions === undefined || extensions.size <= 4)
      }),
      { numRuns: 2000 },
    )
  })
})
