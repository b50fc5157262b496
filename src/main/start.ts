// `npm start`: builds the page when its sources are newer, runs the site, and says where to go.
import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/quorate', import.meta.url)))
const { runProgram } = await import('./run-program.ts')
await runProgram(['serve', ...process.argv.slice(2)], { build: true })
