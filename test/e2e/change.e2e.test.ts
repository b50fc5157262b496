// Changing the vault in a real browser against the real program: preview, begin, panel, both languages.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { startBrowser, type StartedBrowser } from '../browser.ts'
import { startProgram, type Program } from './program.ts'

const root = resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'quorate-'))
const home = join(folder, 'home')

let started: StartedBrowser
let program: Program
let context: BrowserContext
let page: Page
const complaints: string[] = []

before(async () => {
  writeFileSync(join(folder, 'scan.dcm'), Buffer.alloc(300_000, 7))
  quorate('init', ...['north', 'east', 'south', 'west'].map((name) => `folder:${join(folder, name)}`), '-k', '2')
  quorate('put', join(folder, 'scan.dcm'), '/')
  program = await startProgram({ home })
  started = await startBrowser()
  context = await started.browser.newContext({ locale: 'en-GB', viewport: { width: 390, height: 800 }, reducedMotion: 'reduce' })
  context.setDefaultTimeout(20_000)
  context.on('weberror', (error) => complaints.push(error.error().message))
  context.on('console', (message) => {
    if (/Content Security Policy|Minified React|Warning:/.test(message.text())) complaints.push(message.text())
  })
  page = await context.newPage()
  await page.goto(program.link)
  await page.locator('[data-testid=health][data-health=healthy]').waitFor({ timeout: 60_000 })
})

after(async () => {
  await started?.close()
  await program?.stop()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

test('a change is seen before it is begun, is refused where it cannot be, and ends', async () => {
  await page.evaluate(() => {
    location.hash = '#/locations'
  })
  await page.getByRole('button', { name: 'Change', exact: true }).click()
  const dialog = page.getByRole('dialog')
  const preview = page.getByTestId('change-preview')
  await preview.getByText('0 objects').waitFor()
  const boxes = dialog.getByRole('checkbox')
  assert.equal(await boxes.count(), 4)
  for (const index of [0, 1, 2]) await boxes.nth(index).check()
  await dialog.getByRole('alert').filter({ hasText: 'Too few locations would be left' }).waitFor()
  assert.ok(await dialog.getByRole('button', { name: 'Begin' }).isDisabled())
  for (const index of [1, 2]) await boxes.nth(index).uncheck()
  await preview.getByText('2 of 3, shared; 1 location may be lost').waitFor()
  await preview.getByText('New shares make it worthless.').waitFor()
  await dialog.getByText('new shares', { exact: true }).click()
  await preview.getByText('1 object').waitFor()
  await dialog.getByRole('button', { name: 'Begin' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=location]').length === 3)
  await page.locator('[data-testid=health][data-health=healthy]').first().waitFor()
  assert.deepEqual(complaints, [])
})

function quorate(...args: readonly string[]): void {
  const run = spawnSync(process.execPath, [join(root, 'src/main/quorate.ts'), ...args], {
    env: { ...process.env, QUORATE_HOME: home, NODE_TEST_CONTEXT: undefined },
    encoding: 'utf8',
  })
  assert.equal(run.status, 0, `${run.stdout}${run.stderr}`)
}
