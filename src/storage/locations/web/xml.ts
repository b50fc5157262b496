// The XML that stores answer: strict, without document types, and bounded in size, depth and number of elements.
import { SaxesParser } from 'saxes'
import { fromUtf8 } from '#base'
import { webBounds } from '../bounds.ts'

export interface XmlElement {
  /** Without its prefix. */
  readonly name: string
  readonly children: readonly XmlElement[]
  /** The text directly inside, joined. */
  readonly text: string
}

interface Growing {
  readonly name: string
  readonly children: Growing[]
  text: string
}

/** The root element, or undefined for anything that is not well-formed XML within the bounds. */
export function parseXml(
  bytes: Uint8Array,
  { elementsMax = webBounds.xmlElementsMax }: { readonly elementsMax?: number } = {},
): XmlElement | undefined {
  if (bytes.length > webBounds.answerBytesMax) return undefined
  try {
    return parseStrictly(fromUtf8(bytes), elementsMax)
  } catch {
    // Whatever is wrong with it, it is not an answer; the caller says what was expected.
    return undefined
  }
}

function parseStrictly(text: string, elementsMax: number): XmlElement {
  const parser = new SaxesParser({ xmlns: false, fragment: false })
  const open: Growing[] = []
  let root: Growing | undefined
  let elements = 0
  parser.on('error', (error) => {
    throw error
  })
  parser.on('doctype', () => {
    throw new SyntaxError('a document type')
  })
  parser.on('opentag', (tag) => {
    elements += 1
    if (elements > elementsMax || open.length >= webBounds.xmlDepthMax) throw new SyntaxError('too large')
    const element: Growing = { name: tag.name.slice(tag.name.indexOf(':') + 1), children: [], text: '' }
    open.at(-1)?.children.push(element)
    root ??= element
    open.push(element)
  })
  parser.on('closetag', () => {
    open.pop()
  })
  const addText = (more: string): void => {
    const element = open.at(-1)
    if (element !== undefined) element.text += more
  }
  parser.on('text', addText)
  parser.on('cdata', addText)
  parser.write(text).close()
  if (root === undefined) throw new SyntaxError('nothing there')
  return root
}

/** The first child of the name. */
export function child(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((each) => each.name === name)
}

/** The text of the first child of the name. */
export function childText(element: XmlElement, name: string): string | undefined {
  return child(element, name)?.text
}

export function childrenOf(element: XmlElement, name: string): readonly XmlElement[] {
  return element.children.filter((each) => each.name === name)
}

/** Text as it may stand in an element. */
export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
