// A vast upload over a link that breaks, into locations that count what they get and forget it: it is taken whole, in little memory, and the
// locations are named when it is wanted back. SIZE_GIB=100 for the size that people move for a week.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFailure } from '#base'
import type { Location } from '#storage'
import { finished } from '../../storage/site.ts'
import { digestOf, uploadInLittleMemory, withLink } from './resuming-run.ts'

const SIZE_BYTES = Number(process.env['SIZE_GIB'] ?? '10') * 2 ** 30
const BREAK_BYTES = Number(process.env['BREAK_MIB'] ?? '700') * 2 ** 20
const FRAGMENT = /^[0-9a-f]{2}\//
/** Parts of the catalogue are far smaller, and kept. */
const KEPT_BYTES_MAX = 2 ** 22

test(`${SIZE_BYTES / 2 ** 30} GiB over a link that breaks every ${BREAK_BYTES / 2 ** 20} MiB, into locations that forget`, async (context) => {
  const counted = new Map<string, number>()
  const given = { path: '/genome.bam', sizeBytes: SIZE_BYTES + 12_345 }
  await withLink(
    { options: { wrapLocation: (location) => forgetful(location, counted) } },
    () => BREAK_BYTES,
    async (linked) => {
      const { site, steady } = linked
      context.diagnostic(await uploadInLittleMemory(linked, given, BREAK_BYTES))
      assert.equal(counted.size, 3)
      for (const [name, bytes] of counted) assert.ok(bytes > given.sizeBytes, `${name} got ${bytes} bytes`)
      await assert.rejects(
        steady.download({ path: given.path }).then(({ body }) => digestOf(body)),
        (error) => isFailure(error) && ['a', 'b', 'c'].every((label) => error.message.includes(`${label} keeps nothing under this name`)),
      )
      const scrub = await finished(site.storage, site.storage.scrub({ depth: 'present' }))
      const lost = scrub.report!.findings.filter(({ kind, path }) => kind === 'lost' && path === given.path)
      assert.deepEqual(lost.map(({ location }) => location).toSorted(), ['a', 'b', 'c'])
    },
  )
})

/** Takes every fragment, counts its bytes, and keeps small ones only. */
function forgetful(location: Location, counted: Map<string, number>): Location {
  const create: Location['create'] = async (name, options) => {
    if (!FRAGMENT.test(name)) return location.create(name, options)
    let bytes = 0
    let small: Uint8Array[] | undefined = []
    return {
      write: async (part) => {
        bytes += part.length
        if (bytes > KEPT_BYTES_MAX) small = undefined
        small?.push(part.slice())
      },
      finish: async () => {
        if (small === undefined) {
          counted.set(`${location.label} ${name}`, bytes)
          return
        }
        const sink = await location.create(name, options)
        for (const part of small) await sink.write(part)
        await sink.finish()
      },
      abort: async () => undefined,
      get acceptedBytes() {
        return bytes
      },
    }
  }
  return new Proxy(location, {
    get: (target, key) => {
      if (key === 'create') return create
      if (key === 'adopt') return undefined
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
