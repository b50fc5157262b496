// Paths in the vault as people type them.
import { Failure } from '#base'

export interface TypedPath {
  /** Without a slash at the end; `/` is the root. */
  readonly path: string
  /** A slash at the end: a folder is meant. */
  readonly isFolder: boolean
}

export function typedPath(text: string): TypedPath {
  if (!text.startsWith('/')) {
    throw new Failure('cli.usage', {
      detail: `${JSON.stringify(text)} is no path in the vault: those begin with /.`,
      next: `Did you mean /${text}?`,
    })
  }
  const path = text.replace(/\/+$/, '')
  return { path: path === '' ? '/' : path, isFolder: text.endsWith('/') }
}

export function below(folder: string, name: string): string {
  return folder === '/' ? `/${name}` : `${folder}/${name}`
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
