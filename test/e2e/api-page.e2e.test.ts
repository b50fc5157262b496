// The page of the API in a real browser: found from the menu and by its address, searched, opened by keyboard, read in both languages.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { routes } from '#contract'
import { createLooks } from './looks.ts'
import { healthyPage, makeStage } from './stage.ts'

const stage = makeStage()
const { folder, quorate, complaints, pictures } = stage
const looks = createLooks(pictures)

let context: BrowserContext
let page: Page

before(async () => {
  quorate('init', ...['north', 'east', 'south'].map((name) => `folder:${join(folder, name)}`), '-k', '2')
  await stage.start()
  context = await stage.open({})
  page = await healthyPage(stage, context)
})

after(() => stage.end())

test('the menu leads to the page, which has every call', async () => {
  await page.getByRole('button', { name: 'Language and appearance' }).click()
  await page.getByRole('menuitem', { name: 'For programs (API)' }).click()
  await page.getByRole('heading', { name: 'API', level: 1 }).waitFor()
  const all = Object.keys(routes).length
  await page.getByText(`${all} of ${all} calls`).waitFor()
  assert.equal(await page.locator('details[data-testid^="call-"]').count(), all)
  await looks.at(page, 'api')
})

test('a search by keyboard, a call opened by keyboard: parameters, types, examples, refusals', async () => {
  await page.getByLabel('Search the calls').fill('range bytes')
  await page.getByText('No call has these words.').or(page.getByTestId('call-download')).first().waitFor()
  await page.getByLabel('Search the calls').fill('content download')
  await page.getByTestId('call-download').waitFor()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  const call = page.getByTestId('call-download')
  await call.getByRole('row', { name: /^path required/ }).waitFor()
  await call
    .getByRole('region', { name: 'In a shell' })
    .getByText(`curl --fail-with-body "${stage.program.origin}/api/v1/content?path=/mri/scan.dcm"`)
    .waitFor()
  await call.getByRole('region', { name: 'In TypeScript' }).getByText("site.read('/mri/scan.dcm'").waitFor()
  await call.getByText('storage.range').waitFor()
  await looks.at(page, 'api-call')
  await page.getByLabel('Search the calls').fill('no such call')
  await page.getByText('No call has these words.').waitFor()
  await looks.at(page, 'api-none', ['desktop', 'phone-dark'])
  await page.getByRole('button', { name: 'Show all' }).click()
  await page.getByTestId('call-status').waitFor()
})

test('an example is copied, and said so', async () => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: stage.program.origin })
  const call = page.getByTestId('call-move')
  await call.locator('summary').click()
  await call.getByRole('button', { name: 'Copy: In a shell' }).click()
  await page.getByTestId('announcer').getByText('Copied.').waitFor()
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^curl .*\/api\/v1\/move"/)
})

test('/api/docs leads there, in German too; the document can be kept', async () => {
  const german = await stage.open({ locale: 'de-DE', width: 390 })
  const first = await german.newPage()
  await first.goto(stage.program.link)
  await first.locator('[data-testid=health]').waitFor()
  await first.goto(`${stage.program.origin}/api/docs`)
  await first.getByText('Drei Dinge vorweg').waitFor()
  await first.getByLabel('Aufrufe suchen').fill('health')
  await first.getByTestId('call-health').locator('summary').click()
  await first.getByText('Ablehnungen', { exact: true }).waitFor()
  await looks.at(first, 'api-deutsch', ['phone', 'phone-dark'])
  const kept = first.waitForEvent('download')
  await first.getByRole('link', { name: 'openapi.json' }).click()
  assert.equal((await kept).suggestedFilename(), 'quorate-openapi.json')
  await german.close()
})

test('no error and no violation of the policy of the page', () => {
  assert.deepEqual(complaints, [])
})
