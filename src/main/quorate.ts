// The program `quorate`.
import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/quorate', import.meta.url)))
const { runProgram } = await import('./run-program.ts')
await runProgram(process.argv.slice(2), { build: false })
