// The pages of health and of the planner, in a real browser against the real program: pictures, forms, both languages, keyboard.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { createLooks } from './looks.ts'
import { healthyPage, makeStage } from './stage.ts'

const HOUR_MS = 3_600_000

const stage = makeStage()
const { folder, home, quorate, complaints, pictures } = stage
const looks = createLooks(pictures)

let context: BrowserContext
let page: Page

before(async () => {
  writeFileSync(join(folder, 'scan.dcm'), Buffer.alloc(300_000, 7))
  quorate('init', ...['north', 'east', 'south', 'west'].map((name) => `folder:${join(folder, name)}`), '-k', '2')
  quorate('put', join(folder, 'scan.dcm'), '/')
  seedHistory()
  await stage.start()
  context = await stage.open({})
  page = await healthyPage(stage, context)
})

after(() => stage.end())

test('history is a picture with words and a table', async () => {
  await page.getByRole('navigation', { name: 'Pages' }).first().getByRole('link', { name: 'Health' }).click()
  await page.getByRole('heading', { name: 'Health', level: 1 }).waitFor()
  await page.getByRole('img', { name: 'Fragments to repair: at most 7, at last 0' }).waitFor()
  assert.ok((await page.locator('[data-testid=curve-due] path').count()) >= 1)
  await page.getByText('As a table').click()
  assert.ok((await page.getByRole('region', { name: 'How it was: As a table' }).getByRole('row').count()) > 50)
  await page.getByText('As a table').click()
  await page.getByText('Nothing is due').waitFor()
  await looks.at(page, 'health')
})

test('the schedule is changed, wrong numbers are refused in place, and a check is begun at once', async () => {
  const tags = page.getByTestId('depth-tags')
  assert.equal(await tags.getByLabel('Once in', { exact: true }).inputValue(), '30')
  assert.equal(await tags.getByLabel('Once in: unit').inputValue(), 'days')
  await tags.getByLabel('Once in', { exact: true }).fill('x')
  await page.getByRole('button', { name: 'Save' }).click()
  await tags.getByText('This is not a usable number.').waitFor()
  await tags.getByLabel('Once in', { exact: true }).fill('36')
  await tags.getByLabel('Once in: unit').selectOption('hours')
  await page.getByLabel('Pause all checks').check()
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Saved.').first().waitFor()
  const set = JSON.parse(quorate('health', 'schedule', '--json')) as {
    settings: { paused: boolean }
    schedule: { depth: string; everyHours: number }[]
  }
  assert.equal(set.settings.paused, true)
  assert.equal(set.schedule.find(({ depth }) => depth === 'tags')!.everyHours, 36)
  await page.getByRole('button', { name: 'Now: Every file, end to end' }).click()
  await page.getByTestId('tasks').locator('[data-kind=scrub]').first().waitFor()
})

test('a location is described; a price needs a currency', async () => {
  const label = await page
    .getByRole('region', { name: 'Locations in the last 30 days: As a table' })
    .getByRole('row')
    .nth(1)
    .getByRole('rowheader')
    .innerText()
  await page.getByRole('button', { name: `Describe ${label}` }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Provider').fill('North AG')
  await dialog.getByLabel('Jurisdiction').fill('CH')
  await dialog.getByLabel('Price of a GiB and month').fill('0,02')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.getByText('Three letters, such as EUR. Prices need it.').waitFor()
  await dialog.getByLabel('Currency').fill('eur')
  await looks.at(page, 'describe-location', ['desktop', 'phone-dark'])
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByText('North AG, CH').waitFor()
})

test('the planner answers sliders, also by keyboard, and shows who could read together', async () => {
  for (const [label, provider, jurisdiction] of [
    ['east', 'East', 'DE'],
    ['south', 'South', 'IT'],
    ['west', 'West', 'US'],
  ] as const) {
    const full = (JSON.parse(quorate('health', '--json')) as { locations: { id: string; label: string }[] }).locations.find((one) =>
      one.label.includes(label),
    )!
    const prices = ['--currency', 'EUR', '--per-gib-month', '0.01', '--per-gib-out', '0.02']
    quorate('location', 'describe', full.id, '--provider', provider, '--jurisdiction', jurisdiction, ...prices)
  }
  await page.getByRole('link', { name: 'Planner' }).click()
  await page.getByRole('heading', { name: 'Planner', level: 1 }).waitFor()
  const choice = page.getByTestId('plan-choice')
  await choice.getByText('2 of 4').waitFor()
  const threshold = page.getByLabel('Locations that open a file (k)')
  await threshold.focus()
  await page.keyboard.press('ArrowRight')
  await choice.getByText('3 of 4').waitFor()
  await page.getByLabel('Size of all files').focus()
  await page.keyboard.press('End')
  await choice.getByText('EUR').first().waitFor()
  await choice
    .getByText(/Together they could read: .* \+ .* \+ /)
    .first()
    .waitFor()
  await page.getByRole('img', { name: /choices: to the right more expensive/ }).waitFor()
  await page.getByTestId('plan-recommended').getByRole('button', { name: 'Look at it' }).click()
  await looks.at(page, 'planner')
})

test('a location that is only thought of is compared, and must be added before a choice with it is taken', async () => {
  await page.getByRole('button', { name: 'Think of another location' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Compare it' }).click()
  await dialog.getByText('Give it a name.').waitFor()
  await dialog.getByLabel('What you call it').fill('far')
  await dialog.getByLabel('Provider').fill('Far AG')
  await looks.at(page, 'thought', ['phone-dark'])
  await dialog.getByRole('button', { name: 'Compare it' }).click()
  await dialog.waitFor({ state: 'detached' })
  const choice = page.getByTestId('plan-choice')
  await page.waitForFunction(() =>
    [...document.querySelectorAll('label')].some(
      (one) => one.textContent === 'Locations in all (n)' && document.getElementById(one.htmlFor)?.getAttribute('max') === '5',
    ),
  )
  await page.getByLabel('Locations in all (n)').focus()
  await page.keyboard.press('End')
  await choice.getByText('The vault does not have far yet.').waitFor()
  assert.equal(await choice.getByRole('link', { name: 'Add a location' }).getAttribute('href'), '#/locations')
  assert.equal(await choice.getByRole('button', { name: 'Take this choice' }).count(), 0)
  await page.getByRole('button', { name: 'Forget far' }).click()
})

test('a choice is taken: the change is filled in, says what a month costs, and runs', async () => {
  const table = page.getByRole('region', { name: 'Planner: The unbeaten choices' })
  const present = table.getByRole('row').filter({ hasText: 'now' })
  await present.getByRole('button', { name: '2 of 4, shared' }).click()
  const choice = page.getByTestId('plan-choice')
  await choice.getByText('This is what the vault has now.').waitFor()
  await page.getByLabel('Locations in all (n)').focus()
  await page.keyboard.press('ArrowLeft')
  await choice.getByText('2 of 3').waitFor()
  await choice.getByRole('button', { name: 'Take this choice' }).click()
  const dialog = page.getByRole('dialog')
  await page.getByTestId('change-preview').getByText('2 of 3, shared').waitFor()
  assert.equal(await dialog.getByRole('checkbox', { checked: true }).count(), 1)
  await page
    .getByTestId('change-preview')
    .getByText(/EUR now, .* then, as the vault is used/)
    .waitFor()
  await looks.at(page, 'take-choice', ['desktop', 'phone-dark'])
  await dialog.getByRole('button', { name: 'Begin' }).click()
  await page.getByRole('heading', { name: 'Where your files lie', level: 1 }).waitFor()
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=location]').length === 3)
  await page.evaluate(() => {
    location.hash = '#/planner'
  })
  await page.getByTestId('plan-choice').getByText('This is what the vault has now.').waitFor()
})

test('the same in German', async () => {
  await page.getByRole('button', { name: 'Language and appearance' }).click()
  await page.getByRole('menuitemradio', { name: 'Deutsch' }).click()
  await page.getByRole('heading', { name: 'Planer', level: 1 }).waitFor()
  await looks.at(page, 'planer', ['desktop', 'phone'])
  await page.getByRole('link', { name: 'Zur Seite Zustand' }).click()
  await page.getByRole('heading', { name: 'Prüfungen von selbst' }).waitFor()
  await looks.at(page, 'zustand', ['desktop', 'phone'])
})

test('nothing broke and no policy was violated on the way', () => {
  assert.deepEqual(complaints, [])
})

/** Ten days by the hour with one bad night. */
function seedHistory(): void {
  const database = new DatabaseSync(join(home, 'site.sqlite'))
  const now = Math.floor(Date.now() / HOUR_MS) * HOUR_MS
  const add = database.prepare(
    `insert into health_sample (at, files, held, lost, corrupt, pending, debt_bytes, debt_age, without_redundancy, unreadable, away,
     covered_present, covered_tags, covered_full) values (?, 5, 20, ?, 0, 0, ?, 0, ?, 0, ?, 1000, 400, 100)`,
  )
  for (let hour = 240; hour >= 1; hour--) {
    const bad = hour > 90 && hour < 100
    add.run(now - hour * HOUR_MS, bad ? 7 : 0, bad ? 7_000_000 : 0, bad && hour > 95 ? 2 : 0, bad ? 1 : 0)
  }
  database.close()
}
