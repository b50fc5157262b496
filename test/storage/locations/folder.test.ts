import { createFolderLocation } from '../../../src/storage/locations/folder.ts'
import { locationConformance } from './conformance.ts'
import { scratch } from './support.ts'

for (const syncWrites of [true, false]) {
  locationConformance(`folder, ${syncWrites ? 'synced' : 'not synced'}`, async () => {
    const folder = await scratch()
    return {
      location: createFolderLocation({ root: folder.path, label: 'shelf', syncWrites }),
      close: async () => folder[Symbol.asyncDispose](),
    }
  })
}
