// The model of a location keeps the contract itself.
import { createMemoryLocation } from '../../../src/storage/locations/memory.ts'
import { locationConformance } from './conformance.ts'

locationConformance('memory', async () => ({ location: createMemoryLocation({ label: 'memory' }), close: () => Promise.resolve() }))
