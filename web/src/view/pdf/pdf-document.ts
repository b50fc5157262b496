// pdf.js over ranges: its worker, fonts and decoders come from our own origin; scripts of documents are never run.
import { getDocument, GlobalWorkerOptions, PDFDataRangeTransport, type PDFDocumentProxy } from 'pdfjs-dist'
import type { Bytes } from '../bytes.ts'
import { CannotShow } from '../cannot-show.ts'

/** The files of pdf.js, which asks for them by name; scripts/build-web.ts puts them there. */
const ASSETS = '/pdf'
const RANGE_BYTES = 128 * 1024
const IMAGE_PIXELS_MAX = 100_000_000

export interface OpenPdf {
  readonly document: PDFDocumentProxy
  close(): void
}

export async function openPdf(bytes: Bytes, signal: AbortSignal): Promise<OpenPdf> {
  GlobalWorkerOptions.workerSrc = `${ASSETS}/pdf.worker.min.mjs`
  let failed: unknown
  const transport = new Transport(bytes, signal, (error) => {
    failed = error
    void task.destroy()
  })
  const task = getDocument({
    range: transport,
    rangeChunkSize: RANGE_BYTES,
    disableStream: true,
    disableAutoFetch: true,
    cMapUrl: `${ASSETS}/cmaps/`,
    standardFontDataUrl: `${ASSETS}/standard_fonts/`,
    wasmUrl: `${ASSETS}/wasm/`,
    iccUrl: `${ASSETS}/iccs/`,
    useWorkerFetch: true,
    enableXfa: false,
    maxImageSize: IMAGE_PIXELS_MAX,
    verbosity: 0,
  })
  const close = (): void => {
    void task.destroy()
  }
  signal.addEventListener('abort', close, { once: true })
  try {
    return { document: await task.promise, close }
  } catch (error) {
    close()
    signal.throwIfAborted()
    if (failed !== undefined) throw failed
    const name = error instanceof Error ? error.name : ''
    if (name === 'PasswordException') throw new CannotShow('password')
    if (name === 'InvalidPDFException' || name === 'FormatError') throw new CannotShow('damaged', 'PDF', { cause: error })
    throw error
  }
}

class Transport extends PDFDataRangeTransport {
  readonly #bytes: Bytes
  readonly #signal: AbortSignal
  readonly #failed: (error: unknown) => void

  constructor(bytes: Bytes, signal: AbortSignal, failed: (error: unknown) => void) {
    super(bytes.sizeBytes, null)
    this.#bytes = bytes
    this.#signal = signal
    this.#failed = failed
  }

  override requestDataRange(begin: number, end: number): void {
    this.#bytes.read(begin, end - begin, this.#signal).then(
      (part) => this.onDataRange(begin, part),
      (error: unknown) => {
        if (!this.#signal.aborted) this.#failed(error)
      },
    )
  }
}
