// A large upload over a link that breaks all the time: SIZE_GIB of a made source, a break every BREAK_MIB; memory stays flat.
import { test } from 'node:test'
import { arrived, uploadInLittleMemory, withLink } from './resuming-run.ts'

const SIZE_BYTES = Number(process.env['SIZE_GIB'] ?? '2') * 2 ** 30
const BREAK_BYTES = Number(process.env['BREAK_MIB'] ?? '48') * 2 ** 20

test(`${SIZE_BYTES / 2 ** 30} GiB over a link that breaks every ${BREAK_BYTES / 2 ** 20} MiB`, async (context) => {
  const given = { path: '/genome.bam', sizeBytes: SIZE_BYTES + 12_345 }
  await withLink(
    {},
    () => BREAK_BYTES,
    async (linked) => {
      context.diagnostic(await uploadInLittleMemory(linked, given, BREAK_BYTES))
      await arrived(linked.steady, given)
    },
  )
})
