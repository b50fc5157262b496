// The DICOM files of a folder: looked through once for what belongs together, opened again when an image is wanted, never many at once.
import type { Entry } from '#contract'
import { client } from '../../site/client.ts'
import { isClosed } from '../cannot-show.ts'
import { openFile } from '../open-file.ts'
import { type DicomFile, readDicom } from './dicom-file.ts'
import { factsOf, type ImageFacts } from './series.ts'

/** A folder is looked through up to here. */
export const FILES_MAX = 3000
const AT_ONCE = 4
const OPEN_MAX = 12
const HEAD_BYTES = 32 * 1024
const KEPT_BYTES_MAX = 8 * 2 ** 20
/** Endings that are surely something else. */
const OTHER = /\.(png|jpe?g|gif|webp|tiff?|svs|pdf|csv|tsv|txt|md|json|xml|html?|zip|gz|parquet|vcf|bed|bam|bai|tbi)$/i

export interface Looked {
  readonly facts: readonly ImageFacts[]
  readonly done: number
  readonly of: number
  /** Files that could not be read as DICOM. */
  readonly left: number
  readonly cut: boolean
}

interface LookRequest {
  readonly entries: readonly Entry[]
  /** What is known already. */
  readonly known: ImageFacts
  readonly signal: AbortSignal
  readonly found: (looked: Looked) => void
}

/** Reads the beginning of every file that may be DICOM; says every now and then what it found. */
export async function lookThrough({ entries, known, signal, found }: LookRequest): Promise<void> {
  const candidates = entries.filter(({ kind, name, path, size }) => kind === 'file' && size > 0 && path !== known.path && !OTHER.test(name))
  const files = candidates.slice(0, FILES_MAX)
  const facts: ImageFacts[] = [known]
  let [done, left, next, told] = [0, 0, 0, 0]
  const tell = (): void => found({ facts: [...facts], done, of: files.length, left, cut: files.length < candidates.length })
  const work = async (): Promise<void> => {
    for (;;) {
      const file = files[next++]
      if (file === undefined) return
      try {
        const { dicom, close } = await openDicom(file.path, signal)
        close()
        if (dicom.pixels !== undefined) facts.push(factsOf(file.path, dicom))
      } catch (error) {
        if (isClosed(error) || signal.aborted) throw error
        left++
      }
      done++
      if (done - told >= 1 + done / 10 || done === files.length) {
        told = done
        tell()
      }
    }
  }
  tell()
  await Promise.all(Array.from({ length: AT_ONCE }, work))
}

export interface OpenDicom {
  readonly dicom: DicomFile
  readonly close: () => void
}

export async function openDicom(path: string, signal: AbortSignal): Promise<OpenDicom> {
  const file = await openFile({ client, path, signal, headBytes: HEAD_BYTES, keptBytesMax: KEPT_BYTES_MAX })
  try {
    return { dicom: await readDicom(file.bytes, signal), close: () => file.close() }
  } catch (error) {
    file.close()
    throw error
  }
}

/** Opens files as they are wanted; the ones not wanted for longest are closed. */
export function createOpener(signal: AbortSignal): (path: string) => Promise<DicomFile> {
  const open = new Map<string, Promise<OpenDicom>>()
  const forget = (path: string): void => {
    const old = open.get(path)
    open.delete(path)
    old?.then(({ close }) => close()).catch(() => undefined)
  }
  return async (path) => {
    const opening = open.get(path) ?? openDicom(path, signal)
    open.delete(path)
    open.set(path, opening)
    for (const oldest of open.keys()) {
      if (open.size <= OPEN_MAX) break
      forget(oldest)
    }
    try {
      return (await opening).dicom
    } catch (error) {
      if (open.get(path) === opening) open.delete(path)
      throw error
    }
  }
}
