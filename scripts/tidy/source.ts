// Reads TypeScript and JavaScript just far enough to tell code from comments, texts and patterns.

export interface Source {
  /** The text with comments blanked, texts as `"N"` where N counts into `texts`, and patterns as `/ /`. Lines stay where they are. */
  readonly code: string
  readonly texts: readonly string[]
}

export interface Import {
  readonly specifier: string
  readonly line: number
}

// After these a slash begins a pattern, not a division.
const BEFORE_PATTERN = /(?:^|[(,=:[!&|?{};+\-*%~^<>]|\b(?:return|typeof|case|in|of|do|else|void|await|yield))\s*$/

export function readSource(text: string): Source {
  const texts: string[] = []
  let code = ''
  let at = 0
  /** Depths of braces at which a template goes on. */
  const templates: number[] = []
  let braces = 0

  const keep = (content: string): void => {
    code += `"${texts.length}"` + '\n'.repeat(content.split('\n').length - 1)
    texts.push(content)
  }

  /** From just after a backtick, or after the brace that closes an insertion. */
  const template = (): void => {
    const start = at
    while (at < text.length && text[at] !== '`' && !text.startsWith('${', at)) at += text[at] === '\\' ? 2 : 1
    keep(text.slice(start, at))
    if (text[at] === '`') at++
    else if (at < text.length) {
      templates.push(braces++)
      at += 2
      code += '{'
    }
  }

  while (at < text.length) {
    const char = text[at]!
    if (text.startsWith('//', at)) {
      const end = text.indexOf('\n', at)
      at = end < 0 ? text.length : end
    } else if (text.startsWith('/*', at)) {
      const end = text.indexOf('*/', at + 2)
      const comment = text.slice(at, end < 0 ? text.length : end + 2)
      code += ' ' + comment.replaceAll(/[^\n]/g, '')
      at += comment.length
    } else if (char === '"' || char === "'") {
      const quoted = /^(?:"(?:[^"\\\n]|\\[^])*"|'(?:[^'\\\n]|\\[^])*')/.exec(text.slice(at, at + 100_000))
      // An apostrophe in the text of a page is no quote.
      if (!quoted) code += ' '
      else keep(quoted[0].slice(1, -1))
      at += quoted?.[0].length ?? 1
    } else if (char === '`') {
      at++
      template()
    } else if (char === '/' && BEFORE_PATTERN.test(code.slice(-40))) {
      const pattern = /^\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/.exec(text.slice(at, at + 10_000))
      code += pattern ? '/ /' : char
      at += pattern?.[0].length ?? 1
    } else {
      if (char === '{') braces++
      if (char === '}') braces--
      code += char
      at++
      if (char === '}' && templates.at(-1) === braces) {
        templates.pop()
        template()
      }
    }
  }
  return { code, texts }
}

const IMPORTS = [
  /\bfrom\s*"(?<text>\d+)"/g,
  /\bimport\s*"(?<text>\d+)"/g,
  /\bimport\s*\(\s*"(?<text>\d+)"/g,
  /\brequire\s*\(\s*"(?<text>\d+)"/g,
  /\bnew\s+URL\s*\(\s*"(?<text>\d+)"\s*,\s*import\.meta\.url/g,
]

/** Every module that a source names: static, dynamic and type-only imports, re-exports, and the programs of workers. */
export function importsOf({ code, texts }: Source): Import[] {
  const imports = IMPORTS.flatMap((pattern) =>
    [...code.matchAll(pattern)].map((match) => ({ specifier: texts[Number(match.groups!['text'])]!, line: lineAt(code, match.index) })),
  )
  return imports.toSorted((a, b) => a.line - b.line)
}

/** Counted from 1. */
export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length
}
