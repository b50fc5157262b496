// A dropped folder is walked whole: deep, in pages of what the browser gives, empty folders and unreadable ones included.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chosen, holdDrop, type Found } from '../../web/src/uploads/walk.ts'

interface Node {
  readonly name: string
  readonly children?: readonly Node[]
  readonly unreadable?: boolean
}

const PAGE = 100

function entry({ name, children, unreadable }: Node): unknown {
  if (children === undefined)
    return {
      name,
      isFile: true,
      file: (done: (file: File) => void, fail: (error: Error) => void) =>
        unreadable ? fail(new Error('no')) : done(new File(['x'], name)),
    }
  return {
    name,
    isFile: false,
    createReader: () => {
      let at = 0
      return {
        readEntries: (done: (page: unknown[]) => void, fail: (error: Error) => void) => {
          if (unreadable) return fail(new Error('no'))
          done(children.slice(at, at + PAGE).map(entry))
          at += PAGE
        },
      }
    },
  }
}

function transfer(nodes: readonly Node[]): DataTransfer {
  const items = nodes.map((node) => ({ kind: 'file', webkitGetAsEntry: () => entry(node), getAsFile: () => null }))
  return { items: [...items, { kind: 'string' }] } as unknown as DataTransfer
}

async function all(found: AsyncGenerator<Found>): Promise<string[]> {
  const lines: string[] = []
  for await (const { kind, path } of found) lines.push(`${kind} ${path}`)
  return lines
}

test('folders come before what is in them, with their paths', async () => {
  const drop = holdDrop(
    transfer([
      { name: 'mri', children: [{ name: 'a.dcm' }, { name: 'empty', children: [] }, { name: 'Größe', children: [{ name: 'b.dcm' }] }] },
      { name: 'c.txt' },
    ]),
  )
  assert.deepEqual(await all(drop()), [
    'folder mri',
    'file mri/a.dcm',
    'folder mri/empty',
    'folder mri/Größe',
    'file mri/Größe/b.dcm',
    'file c.txt',
  ])
})

test('more entries than one page of the browser', async () => {
  const children = Array.from({ length: 250 }, (_, index) => ({ name: `s${index}.dcm` }))
  assert.equal((await all(holdDrop(transfer([{ name: 'series', children }]))())).length, 251)
})

test('what cannot be read is named and the rest arrives', async () => {
  const drop = holdDrop(
    transfer([
      { name: 'd', children: [{ name: 'locked', unreadable: true }, { name: 'ok' }] },
      { name: 'e', children: [], unreadable: true },
    ]),
  )
  assert.deepEqual(await all(drop()), ['folder d', 'unreadable d/locked', 'file d/ok', 'folder e', 'unreadable e'])
})

test('a chosen folder keeps its paths', async () => {
  const plain = new File(['x'], 'a')
  const nested = Object.assign(new File(['x'], 'b'), { webkitRelativePath: 'f/g/b' })
  assert.deepEqual(await all(chosen([plain, nested])), ['file a', 'file f/g/b'])
})
