// Looks at a page as people meet it: wide and narrow, light and dark. Keeps pictures, refuses blank ones and what axe calls serious.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import type { Page } from 'playwright-core'

const root = resolve(import.meta.dirname, '../..')
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const SETTLE_MS = 250
const COLOURS_MIN = 12

const WAYS = {
  desktop: { viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
  phone: { viewport: { width: 390, height: 844 }, colorScheme: 'light' },
  'phone-dark': { viewport: { width: 390, height: 844 }, colorScheme: 'dark' },
} as const
export type Way = keyof typeof WAYS

/** Kept with the documents when UPDATE_SCREENSHOTS=1; the others only ever go into the temporary folder. */
const KEPT: Readonly<Record<string, readonly Way[]>> = {
  'make-a-vault': ['desktop', 'phone-dark'],
  'recovery-sheet': ['desktop'],
  'empty-folder': ['desktop'],
  files: ['desktop', 'dark', 'phone'],
  uploading: ['phone-dark'],
  fragment: ['desktop', 'dark'],
  'location-away': ['desktop', 'phone-dark'],
  locations: ['desktop'],
  damage: ['desktop'],
  deutsch: ['desktop'],
  grants: ['desktop', 'phone-dark'],
  search: ['phone'],
  'view-series': ['dark'],
  'view-table': ['phone'],
}

export interface Looks {
  /** One picture and one check of accessibility for every way. Leaves the page on the desktop, light. */
  at(page: Page, name: string, ways?: readonly Way[]): Promise<void>
}

export function createLooks(temporary: string): Looks {
  const update = process.env['UPDATE_SCREENSHOTS'] === '1'
  const kept = join(root, 'docs/images')
  if (update) mkdirSync(kept, { recursive: true })
  return {
    at: async (page, name, ways = ['desktop', 'dark', 'phone', 'phone-dark']) => {
      for (const way of ways) {
        await show(page, way)
        const picture = await page.screenshot()
        writeFileSync(join(temporary, `${name}-${way}.png`), picture)
        if (update && KEPT[name]?.includes(way) === true) writeFileSync(join(kept, `${name}-${way}.png`), picture)
        const colours = await coloursOf(page, picture)
        assert.ok(colours >= COLOURS_MIN, `${name} (${way}) is blank: ${colours} colours`)
        await refuseSerious(page, `${name} (${way})`)
      }
      await show(page, 'desktop')
    },
  }
}

async function show(page: Page, way: Way): Promise<void> {
  const { viewport, colorScheme } = WAYS[way]
  await page.setViewportSize(viewport)
  await page.emulateMedia({ colorScheme })
  await page.waitForTimeout(SETTLE_MS)
}

/** Evaluated through the debugger, which the page's policy does not concern. */
async function refuseSerious(page: Page, where: string): Promise<void> {
  await page.evaluate(AXE)
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } }
    interface Violation {
      impact: string
      id: string
      help: string
      nodes: { target: string[]; failureSummary: string }[]
    }
    const { violations } = await axe.run()
    return violations.map(({ impact, id, help, nodes }) => ({
      impact,
      id,
      help,
      where: nodes.map((node) => `${node.target.join(' ')}: ${node.failureSummary}`).slice(0, 4),
    }))
  })
  const serious = found.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  assert.deepEqual(serious, [], `${where}: what axe found`)
  for (const { impact, id, where: nodes } of found) console.log(`# axe, ${where}: ${impact} ${id}: ${nodes.join(' | ')}`)
}

/** Distinct colours of a PNG, counted by the browser in a page of its own. */
async function coloursOf(page: Page, png: Buffer): Promise<number> {
  const blank = await page.context().newPage()
  try {
    return await blank.evaluate(async (base64) => {
      const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${base64}`)).blob())
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')!
      context.drawImage(bitmap, 0, 0)
      return new Set(new Uint32Array(context.getImageData(0, 0, bitmap.width, bitmap.height).data.buffer)).size
    }, png.toString('base64'))
  } finally {
    await blank.close()
  }
}
