// What went wrong, in the person's words: reason, culprits, next step.
import { Failure } from '#base'
import type { Problem } from '#contract'
import type { Words } from '../words/en.ts'
import { SiteStopped } from './reach.ts'

export interface Trouble {
  readonly title: string
  /** The site's own sentence, in English; absent when the title says it all. */
  readonly detail: string | undefined
  readonly next: string | undefined
  readonly culprits: readonly string[]
}

export function troubleOf(error: unknown, words: Words): Trouble {
  if (error instanceof SiteStopped) return { title: words.stopped.short, detail: undefined, next: words.stopped.text, culprits: [] }
  if (error instanceof Failure) {
    const { code, title, message, next, culprits } = error
    return fromSite({ code, title, detail: message, next, culprits }, words)
  }
  const detail = error instanceof Error ? error.message : String(error)
  return { title: words.broken.title, detail, next: words.broken.text, culprits: [] }
}

export function troubleOfProblem(problem: Problem, words: Words): Trouble {
  return fromSite(problem, words)
}

function fromSite(
  said: { code: string; title: string; detail: string; next?: string | undefined; culprits: readonly string[] },
  words: Words,
): Trouble {
  const translated = words.problems[said.code]
  const title = translated ?? said.title
  const next = translated === undefined ? (said.next ?? words.problemNext[said.code]) : (words.problemNext[said.code] ?? said.next)
  return { title, detail: said.detail === said.title ? undefined : said.detail, next, culprits: said.culprits }
}
