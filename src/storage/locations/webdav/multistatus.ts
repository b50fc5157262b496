// The answer to PROPFIND (RFC 4918, section 13), read as it comes: strict, without document types, and bounded.
import { SaxesParser } from 'saxes'
import { webdavBounds } from '../bounds.ts'

export interface DavEntry {
  /** Of the address, decoded, without a slash at the end. */
  readonly path: string
  readonly isFolder: boolean
  readonly sizeBytes: number | undefined
  /** Milliseconds since 1970 by the server's clock. */
  readonly modifiedMs: number | undefined
}

/** What was read is not the answer to a PROPFIND. */
export class NoMultistatus extends Error {
  override readonly name = 'NoMultistatus'
}

interface Properties {
  isFolder?: boolean
  sizeBytes?: number
  modifiedMs?: number
}

/** Takes bytes as they come; every method throws `NoMultistatus` for what is not well formed or too much. */
export class MultistatusReader {
  readonly entries: DavEntry[] = []
  readonly #parser = new SaxesParser({ xmlns: false, fragment: false })
  readonly #decoder = new TextDecoder('utf-8', { fatal: true })
  readonly #open: string[] = []
  #text = ''
  #path: string | undefined
  #failed = false
  #found: Properties = {}
  #inPropstat: Properties = {}
  #status = 0

  constructor() {
    this.#parser.on('error', () => {
      throw new NoMultistatus('not well formed')
    })
    this.#parser.on('doctype', () => {
      throw new NoMultistatus('a document type')
    })
    this.#parser.on('opentag', ({ name }) => this.#opened(name.slice(name.indexOf(':') + 1)))
    this.#parser.on('closetag', () => this.#closed())
    const addText = (text: string): void => {
      if (this.#text.length + text.length > webdavBounds.xmlTextMax && TEXTS.has(this.#open.at(-1) ?? ''))
        throw new NoMultistatus('long text')
      if (TEXTS.has(this.#open.at(-1) ?? '')) this.#text += text
    }
    this.#parser.on('text', addText)
    this.#parser.on('cdata', addText)
  }

  push(bytes: Uint8Array): void {
    this.#guarded(() => void this.#parser.write(this.#decoder.decode(bytes, { stream: true })))
  }

  end(): readonly DavEntry[] {
    this.#guarded(() => void this.#parser.write(this.#decoder.decode()).close())
    if (!this.#failed && this.#open.length === 0 && this.#sawRoot) return this.entries
    throw new NoMultistatus('no end')
  }

  #sawRoot = false

  #guarded(work: () => void): void {
    if (this.#failed) throw new NoMultistatus('failed before')
    try {
      work()
    } catch (error) {
      this.#failed = true
      throw error instanceof NoMultistatus ? error : new NoMultistatus('not UTF-8')
    }
  }

  #opened(name: string): void {
    if (this.#open.length === 0) {
      if (name !== 'multistatus') throw new NoMultistatus('another root')
      this.#sawRoot = true
    }
    if (this.#open.length >= webdavBounds.xmlDepthMax) throw new NoMultistatus('too deep')
    this.#open.push(name)
    this.#text = ''
    if (name === 'response') {
      this.#path = undefined
      this.#found = {}
    } else if (name === 'propstat') {
      this.#inPropstat = {}
      this.#status = 0
    } else if (name === 'collection' && this.#open.at(-2) === 'resourcetype') this.#inPropstat.isFolder = true
  }

  #closed(): void {
    const name = this.#open.pop()
    const parent = this.#open.at(-1)
    const text = this.#text.trim()
    this.#text = ''
    if (name === 'href' && parent === 'response') this.#path ??= pathOfHref(text)
    else if (name === 'getcontentlength' && /^\d{1,15}$/.test(text)) this.#inPropstat.sizeBytes = Number(text)
    else if (name === 'getlastmodified' && !Number.isNaN(Date.parse(text))) this.#inPropstat.modifiedMs = Date.parse(text)
    else if (name === 'status' && parent === 'propstat') this.#status = Number(/^HTTP\/\d(?:\.\d)? (\d{3})/.exec(text)?.[1] ?? 0)
    else if (name === 'propstat' && this.#status === 200) Object.assign(this.#found, this.#inPropstat)
    else if (name === 'response') this.#addEntry()
  }

  #addEntry(): void {
    if (this.#path === undefined) throw new NoMultistatus('no href')
    if (this.entries.length >= webdavBounds.listEntriesMax) throw new NoMultistatus('too many')
    const { isFolder = false, sizeBytes, modifiedMs } = this.#found
    this.entries.push({ path: this.#path, isFolder, sizeBytes, modifiedMs })
  }
}

/** Only the text of these is kept. */
const TEXTS = new Set(['href', 'getcontentlength', 'getlastmodified', 'status'])

/** An address or an absolute path; the path of it, decoded. */
function pathOfHref(href: string): string {
  const match = /^(?:https?:\/\/[^/?#]*)?(\/[^?#]*)$/i.exec(href)
  if (match === null) throw new NoMultistatus('href')
  try {
    return decodeURIComponent(match[1]!).replace(/(?<=.)\/$/, '')
  } catch {
    throw new NoMultistatus('href')
  }
}
