// uploads: what is unfinished, and removing it.
import { Failure } from '#base'
import { EXIT } from '../exit-codes.ts'
import type { Context } from '../context.ts'
import { counted, printable, size } from '../words.ts'

export async function listUploads(context: Context): Promise<number> {
  const { uploads } = await context.client.uploads({}, { signal: context.signal })
  const open = uploads.filter(({ state }) => state !== 'done')
  for (const upload of open) {
    await context.out.value(upload)
    const far = upload.offset === null ? '' : `${size(upload.offset)} of `
    const until = upload.expires.slice(0, 16).replace('T', ' ')
    await context.out.line(`${upload.id}  ${printable(upload.path)}  ${far}${size(upload.size)}  ${upload.state}, kept until ${until} UTC`)
    if (upload.problem !== null) await context.out.line(`  ${printable(upload.problem.detail)}`)
  }
  await context.out.line(
    open.length === 0
      ? 'No unfinished uploads.'
      : `${counted(open.length, 'unfinished upload')}. Put the same file again to go on; quorate uploads --remove ID to drop one.`,
  )
  return EXIT.done
}

export async function removeUploads(context: Context, ids: readonly string[]): Promise<number> {
  if (ids.some((id) => !/^[0-9a-f]{32}$/.test(id)))
    throw new Failure('cli.usage', { detail: 'An upload is named by its 32 digits.', next: 'See quorate uploads.' })
  for (const id of ids) {
    const upload = await context.client.cancelUpload(id, { signal: context.signal })
    await context.out.value(upload)
    await context.out.line(`Removed the unfinished upload of ${printable(upload.path)}.`)
  }
  return EXIT.done
}
