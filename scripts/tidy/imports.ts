// The rule of the rooms: who may import whom, and by which path.
import { dirname, join } from 'node:path/posix'
import { codeFiles, type Finding, type Repository } from './findings.ts'
import { mayUse, pureExceptions, roomOf, rooms } from './rooms.ts'
import { type Import, importsOf, readSource } from './source.ts'

interface Package {
  readonly imports: readonly string[]
  readonly dependencies: readonly string[]
}

/** Outside the house: they may reach into every room. */
const OUTSIDE = /^(?:test|bench|scripts|bin|recovery|deploy|\.ci)\//

/** Configuration of a tool that runs on Node, beside the browser's code. */
const TOOL_CONFIG = /(?:^|\/)[a-z]+\.config\.[a-z]+$/

export function importRule(repository: Repository): Finding[] {
  const own = readPackage(repository)
  return codeFiles(repository).flatMap((file) => {
    const imports = importsOf(readSource(repository.read(file)))
    return imports.flatMap((imported) => {
      const what = judge(file, imported, own)
      return what === undefined ? [] : [{ file, line: imported.line, what }]
    })
  })
}

function judge(file: string, { specifier }: Import, own: Package): string | undefined {
  if (OUTSIDE.test(file)) return undefined
  const room = roomOf(file)
  if (room === undefined) return file.startsWith('src/') ? 'this folder is no room of the house (scripts/tidy/rooms.ts)' : undefined
  if (specifier.startsWith('.')) return judgeRelative(file, room, specifier)
  if (specifier.startsWith('#')) return judgeFace(room, specifier, own)
  if (specifier.startsWith('node:')) return judgeNode(file, room, specifier)
  return judgePackage(file, room, specifier, own)
}

function judgeRelative(file: string, room: string, specifier: string): string | undefined {
  const target = join(dirname(file), specifier)
  if (specifier.includes('../../') && room !== 'web' && rooms[room]?.uses !== 'everything') return `${specifier}: never ../../`
  const other = roomOf(target)
  if (other === room) {
    const [, , gateway] = file.split('/')
    if (room === 'gateways' && target.split('/').length > 3 && target.split('/')[2] !== gateway)
      return `${specifier}: gateways are strangers`
    if (!/\.[a-z0-9]+$/.test(specifier) && !file.startsWith('src/kernels/')) return `${specifier}: imports end in .ts`
    return undefined
  }
  if (rooms[room]?.uses === 'everything') return undefined
  return `${specifier}: another room is imported by its face`
}

function judgeFace(room: string, specifier: string, own: Package): string | undefined {
  if (!own.imports.includes(specifier)) return `${specifier}: package.json knows no such face`
  const used = specifier.slice(1).split('/')[0]!
  if (used === room && specifier !== '#crypto/primitives') return `${specifier}: inside a room files are imported by ./file.ts`
  return mayUse(room, used) ? undefined : `${specifier}: ${room} may not use ${used}`
}

function judgeNode(file: string, room: string, specifier: string): string | undefined {
  if (room === 'web') return TOOL_CONFIG.test(file) ? undefined : `${specifier}: the browser has no Node modules`
  return rooms[room]?.pure && !pureExceptions.has(file) ? `${specifier}: ${room} is pure` : undefined
}

function judgePackage(file: string, room: string, specifier: string, own: Package): string | undefined {
  // The browser's packages are built in, and the kernels' are a compiler's: both are needed by developers only.
  if (room === 'web' || file.startsWith('src/kernels/')) return undefined
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  return own.dependencies.includes(name) ? undefined : `${specifier}: not among the dependencies of package.json`
}

function readPackage(repository: Repository): Package {
  if (!repository.files.includes('package.json')) return { imports: [], dependencies: [] }
  const { imports = {}, dependencies = {} } = JSON.parse(repository.read('package.json')) as { imports?: object; dependencies?: object }
  return { imports: Object.keys(imports), dependencies: Object.keys(dependencies) }
}
