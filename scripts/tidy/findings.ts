// What a rule of tidiness is given, and what it answers.

export interface Finding {
  /** Relative to the repository, with `/`. */
  readonly file: string
  /** Counted from 1. */
  readonly line: number
  readonly what: string
}

export interface Repository {
  readonly root: string
  /** Relative paths with `/`, in order; nothing that is installed, built or ignored. */
  readonly files: readonly string[]
  read(file: string): string
}

export type Rule = (repository: Repository) => readonly Finding[]

const CODE = /\.(?:ts|tsx|mts|cts|js|mjs|cjs|jsx)$/

export function codeFiles({ files }: Repository): readonly string[] {
  return files.filter((file) => CODE.test(file) && !file.startsWith('test/data/'))
}
