// How a folder is described.
import { resolve } from 'node:path'
import { z } from 'zod'
import { type ConfigKind, filePath } from './spec-text.ts'

const schema = z.strictObject({
  kind: z.literal('folder'),
  /** Absolute. */
  path: filePath,
})

export type FolderConfig = Readonly<z.infer<typeof schema>>

export const folderConfig: ConfigKind<FolderConfig> = {
  schema,
  fields: Object.keys(schema.shape),
  form: 'folder:/path/to/folder',
  parse: (path) => ({ kind: 'folder', path }),
  format: ({ path }) => path,
  resolve: (config, from) => ({ ...config, path: resolve(from, config.path) }),
  label: ({ path }) => path,
}
