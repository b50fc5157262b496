// versions: every version of a file that is kept; two of them side by side; one of them current again.
import { Failure } from '#base'
import type { Versions } from '#contract'
import { EXIT } from '../exit-codes.ts'
import type { Context } from '../context.ts'
import { typedPath } from '../vault-paths.ts'
import { printable, size, table } from '../words.ts'

export interface VersionsOptions {
  readonly compare: readonly [number, number] | undefined
  readonly restore: number | undefined
}

type Version = Versions['versions'][number]

export async function versions(context: Context, typed: string, options: VersionsOptions): Promise<number> {
  const { path } = typedPath(typed)
  if (options.restore !== undefined) {
    if (options.compare !== undefined) throw new Failure('cli.usage', { detail: 'Compare first, then restore.' })
    const entry = await context.client.restoreVersion({ path, version: options.restore }, { signal: context.signal })
    await context.out.value(entry)
    await context.out.line(`${printable(path)}: version ${options.restore} is current again, as version ${entry.version}`)
    return EXIT.done
  }
  const answer = await context.client.versions({ path }, { signal: context.signal })
  if (options.compare !== undefined) return compare(context, answer, options.compare)
  await context.out.value(answer)
  const rows = answer.versions.map((version) => [
    `${version.number}${version.current ? ' *' : ''}`,
    size(version.size),
    version.redundancy,
    version.created.slice(0, 19).replace('T', ' '),
    version.type,
  ])
  for (const line of table([['version', 'size', 'redundancy', 'stored', 'type'], ...rows])) await context.out.line(line)
  return EXIT.done
}

async function compare(context: Context, answer: Versions, [first, second]: readonly [number, number]): Promise<number> {
  const of = (number: number): Version => {
    const found = answer.versions.find((one) => one.number === number)
    if (found === undefined) throw new Failure('storage.absent', { detail: `${answer.path} has no version ${number}.` })
    return found
  }
  const [a, b] = [of(first), of(second)]
  const same = sameContent(answer, a, b)
  await context.out.value({ path: answer.path, versions: [a, b], sameContent: same ? true : a.size === b.size ? null : false })
  const rows = [
    ['', `version ${a.number}`, `version ${b.number}`],
    ['size', `${a.size} bytes`, `${b.size} bytes`],
    ['type', a.type, b.type],
    ['stored', a.created, b.created],
    ['modified', a.modified, b.modified],
    ['redundancy', a.redundancy, b.redundancy],
  ]
  for (const line of table(rows)) await context.out.line(line)
  await context.out.line(
    same
      ? 'The content is the same.'
      : a.size === b.size
        ? 'Equally long; whether the content is the same only reading both tells.'
        : 'The content differs.',
  )
  return EXIT.done
}

/** Both name one dealing, directly or through the versions between them. */
function sameContent(answer: Versions, a: Version, b: Version): boolean {
  const newest = (version: Version): number => {
    const next = answer.versions.find(({ number }) => number === version.sameAs)
    return next === undefined || next.number <= version.number ? version.number : newest(next)
  }
  return newest(a) === newest(b)
}
