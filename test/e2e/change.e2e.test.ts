// Changing the vault in a real browser against the real program: preview, begin, panel, both languages.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { healthyPage, makeStage } from './stage.ts'

const stage = makeStage()
const { folder, quorate, complaints } = stage

let context: BrowserContext
let page: Page

before(async () => {
  writeFileSync(join(folder, 'scan.dcm'), Buffer.alloc(300_000, 7))
  quorate('init', ...['north', 'east', 'south', 'west'].map((name) => `folder:${join(folder, name)}`), '-k', '2')
  quorate('put', join(folder, 'scan.dcm'), '/')
  await stage.start()
  context = await stage.open({ width: 390 })
  page = await healthyPage(stage, context)
})

after(() => stage.end())

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
