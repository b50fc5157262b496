// The S3 driver keeps the contract on real stores; what a store cannot do is found out.
import { locationConformance } from './conformance.ts'
import { locationOn, serverFor } from './s3-servers.ts'

/** Two parts of 5 MiB and a short one. */
const LARGE = 10 * 2 ** 20 + 4711

const ceph = serverFor('ceph')
if (ceph !== undefined) {
  for (const prefix of ['', 'site-1/vault']) {
    locationConformance(
      `S3 of Ceph, ${prefix === '' ? 'whole bucket' : 'below a prefix'}`,
      async () => {
        const location = await locationOn(ceph, { prefix })
        return { location, close: () => location.close() }
      },
      { largeBytes: LARGE, modelRuns: 10, adopts: 'shown' },
    )
  }
}

const swift = serverFor('swift')
if (swift !== undefined) {
  locationConformance(
    'S3 of Swift',
    async () => {
      const location = await locationOn(swift, { prefix: 'p' })
      return { location, close: () => location.close() }
    },
    { largeBytes: LARGE, modelRuns: 5, adopts: 'shown', deviations: { honestCreate: false } },
  )
}

const s3rver = serverFor('s3rver')
if (s3rver !== undefined) {
  locationConformance(
    's3rver, the liar',
    async () => {
      const location = await locationOn(s3rver)
      return { location, close: () => location.close() }
    },
    {
      largeBytes: LARGE,
      modelRuns: 10,
      adopts: 'no',
      deviations: { honestCreate: false, rangedRead: false, multipartAbort: false },
      faults: ['single bytes', 'list order', 'no list of uploads'],
    },
  )
}
