// Links of the documents to files and headings of the repository lead somewhere.
import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { dirname, join as joinPath } from 'node:path/posix'
import type { Finding, Repository } from './findings.ts'
import { lineAt } from './source.ts'

const LINK = /!?\[(?:[^\][]|\[[^\]]*\]|!\[[^\]]*\]\([^)]*\))*\]\(\s*<?(?<target>[^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g
const REFERENCE = /^\[[^\]]+\]:\s*<?(?<target>\S+?)>?\s*$/gm
const HTML = /<(?:a|img|source)\b[^>]*\b(?:href|src|srcset)="(?<target>[^"]+)"/g

export function linkRule(repository: Repository): Finding[] {
  const documents = repository.files.filter((file) => file.endsWith('.md') && !file.startsWith('test/data/'))
  return documents.flatMap((file) => {
    const text = withoutCode(repository.read(file))
    return [LINK, REFERENCE, HTML]
      .flatMap((pattern) => [...text.matchAll(pattern)])
      .flatMap((match) => {
        const target = match.groups!['target']!
        const what = judge(repository, file, target)
        return what === undefined ? [] : [{ file, line: lineAt(text, match.index), what: `${target}: ${what}` }]
      })
  })
}

function judge(repository: Repository, file: string, target: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return undefined
  const [path = '', heading] = decodeURIComponent(target).split('#')
  const to = path === '' ? file : path.startsWith('/') ? path.slice(1) : joinPath(dirname(file), path)
  if (relative(repository.root, join(repository.root, to)).startsWith('..')) return 'leads out of the repository'
  if (!existsSync(join(repository.root, to))) return 'there is no such file'
  if (heading === undefined || heading === '' || !to.endsWith('.md')) return undefined
  return headingsOf(repository.read(to)).has(heading) ? undefined : 'there is no such heading'
}

/** As the usual forges name them. */
function headingsOf(text: string): Set<string> {
  const seen = new Map<string, number>()
  const names = [...withoutCode(text).matchAll(/^#{1,6}\s+(?<title>.+?)\s*#*\s*$/gm)].map((match) => {
    const title = match.groups!['title']!.replaceAll(/\[(?<label>[^\]]*)\]\([^)]*\)/g, '$<label>')
    const name = title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-')
    const times = seen.get(name) ?? 0
    seen.set(name, times + 1)
    return times === 0 ? name : `${name}-${times}`
  })
  const anchors = [...text.matchAll(/<a\s+(?:id|name)="(?<name>[^"]+)"/g)].map((match) => match.groups!['name']!)
  return new Set([...names, ...anchors])
}

/** Code is blanked, lines stay. Code in a heading keeps its words. */
function withoutCode(text: string): string {
  return text
    .replaceAll(/^(?<fence>```+|~~~+)[^\n]*\n[^]*?^\k<fence>[^\n]*$/gm, (block) => block.replaceAll(/[^\n]/g, ''))
    .replaceAll(/(?<!`)`(?<code>[^`\n]+)`(?!`)/g, (span: string) => span.slice(1, -1).replaceAll(/[[\]()<>]/g, ' '))
}
