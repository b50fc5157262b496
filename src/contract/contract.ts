// The face of the contract: our JSON, the routes, and the client of them.
import type { z } from 'zod'
import type { capabilities } from './schemas.ts'

export * from './schemas.ts'
export * from './health.ts'
export * from './uploads.ts'
export * from './plan.ts'
export * from './probe.ts'
export * from './change.ts'
export * from './trash.ts'
export * from './kit.ts'
export * from './writers.ts'
export { routes, type Route, type Routes } from './routes.ts'
export * from './client.ts'
export { uploadResumably, type ResumableSource, type ResumeNews, type ResumeOptions } from './resuming.ts'
export type { SendUploadRequest, UploadCalls } from './upload-calls.ts'
export { toProblem } from './problem.ts'
export type Capabilities = z.infer<typeof capabilities>
