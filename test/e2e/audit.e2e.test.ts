// The page of activity and audit, in a real browser against the real program: who did what, receipts, the proof that turns green, and red after tampering.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { auditMigrations, type AuditTables, openAudit } from '#audit'
import { systemClock } from '#base'
import { openDatabase } from '#database'
import { parseKey, parseLeaf, verifyReceipt } from '#format/log'
import { ADA, BEN, opened, refused } from '../audit/homes.ts'
import { createLooks } from './looks.ts'
import { healthyPage, makeStage } from './stage.ts'

const COUNT = 400

const stage = makeStage()
const { folder, home, quorate, complaints, pictures } = stage
const looks = createLooks(pictures)

let context: BrowserContext
let page: Page

before(async () => {
  mkdirSync(home, { mode: 0o700 })
  await seedLog()
  writeFileSync(join(folder, 'scan.dcm'), Buffer.alloc(50_000, 7))
  quorate('init', ...['north', 'east', 'south'].map((name) => `folder:${join(folder, name)}`), '-k', '2')
  quorate('put', join(folder, 'scan.dcm'), '/')
  await stage.start()
  context = await stage.open({})
  page = await healthyPage(stage, context)
})

after(() => stage.end())

/** What a hospital does in a day: openings, and somebody who is refused. */
async function seedLog(): Promise<void> {
  const db = await openDatabase<AuditTables>({ file: join(home, 'site.sqlite'), migrations: auditMigrations })
  const audit = await openAudit({ db, clock: systemClock, home })
  await Promise.all(Array.from({ length: COUNT }, (_, n) => audit.append(opened(n, n % 2 === 0 ? ADA : BEN))))
  await audit.append(refused('/mri/secret.dcm'))
  await audit.append({ kind: 'grant', actor: ADA, subject: BEN, outcome: 'done', path: '/mri', detail: { rights: 'read' } })
  await audit.append({ kind: 'sign-in', actor: BEN, outcome: 'done', detail: { means: 'passkey' } })
  await audit.close()
  await db.close()
}

test('entries say who did what, and how it ended', async () => {
  await page.getByRole('navigation', { name: 'Pages' }).first().getByRole('link', { name: 'Activity' }).click()
  await page.getByRole('heading', { name: 'Activity and audit', level: 1 }).waitFor()
  const list = page.getByRole('list', { name: 'Entries' })
  await list.getByText('Site started').first().waitFor()
  const grant = list.locator(`[data-index="${COUNT + 1}"]`)
  assert.match(await grant.innerText(), /Access granted\s+Done\s+Ada Wolf: \/mri[\s\S]*about Ben Krüger/)
  const no = list.locator(`[data-index="${COUNT}"]`)
  assert.match(await no.innerText(), /File opened\s+Refused\s+Ben Krüger: \/mri\/secret\.dcm[\s\S]*Not allowed|access\.denied/)
  await looks.at(page, 'activity')
})

test('filters and older entries work by keyboard and pointer', async () => {
  await page.getByLabel('Outcome').selectOption('refused')
  const list = page.getByRole('list', { name: 'Entries' })
  await list.getByText('/mri/secret.dcm').waitFor()
  await assertCount(1)
  await page.getByRole('button', { name: 'Show everything' }).click()
  await page.getByRole('button', { name: 'Only Ben Krüger' }).first().press('Enter')
  await page.getByText('Shown: only Ben Krüger').waitFor()
  await page.getByRole('button', { name: 'Older entries' }).click()
  await page.waitForFunction(() => document.querySelectorAll('[data-index]').length === 100)
  assert.equal(await list.getByRole('button', { name: 'Only Ada Wolf' }).count(), 1, 'the grant of Ada is about Ben')
  await page.getByRole('button', { name: 'Show everything' }).click()
  await page.getByLabel('From').fill('2001-01-01')
  await page.getByLabel('Until').fill('2001-01-02')
  await page.getByText('No entry is like that').waitFor()
  await page.getByRole('button', { name: 'Show everything' }).click()
})

test('a receipt is downloaded, and proves its entry under the keys that the page shows', async () => {
  await page.getByText('Keys of the log').click()
  const keys = (await page.locator('details code').allInnerTexts()).map((key) => parseKey(key.trim()))
  assert.equal(keys.length, 2)
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page
      .locator(`[data-index="${COUNT + 1}"]`)
      .getByRole('link', { name: /^Receipt of entry/ })
      .click(),
  ])
  assert.equal(download.suggestedFilename(), `entry-${COUNT + 1}.tlog-proof`)
  const { entry, index } = verifyReceipt(readFileSync(await download.path()), keys)
  assert.deepEqual([index, parseLeaf(entry).kind], [COUNT + 1, 'grant'])
})

test('the whole log is proven in the browser: green, and remembered', async () => {
  await page.getByTestId('verify-log').click()
  await page.getByTestId('verdict-good').waitFor()
  assert.match(await page.getByTestId('verdict-good').innerText(), /Verified: all \d+ entries[\s\S]*will remember this head/)
  await looks.at(page, 'audit-verified')
  await page.getByTestId('verify-log').click()
  await page.getByText(/It begins with the \d+ entries that this browser verified/).waitFor()
})

test('an entry that is changed behind the site turns it red, and is named', async () => {
  tamper(`update audit_leaf set leaf = replace(leaf, '"outcome":"allowed"', '"outcome":"refused"') where idx = 123`)
  await page.getByTestId('verify-log').click()
  const wrong = page.getByTestId('verdict-wrong')
  await wrong.waitFor()
  assert.equal(await wrong.getAttribute('data-first'), '123')
  assert.equal(await wrong.getAttribute('data-last'), '123')
  assert.match(await wrong.innerText(), /Wrong: Entry 123 is not what was written/)
  await looks.at(page, 'audit-tampered')
  tamper(`update audit_leaf set leaf = replace(leaf, '"outcome":"refused"', '"outcome":"allowed"') where idx = 123`)
  await page.getByTestId('verify-log').click()
  await page.getByTestId('verdict-good').waitFor()
})

test('an entry that is taken away turns it red, in German too', async () => {
  const german = await stage.open({ locale: 'de-DE' })
  const seite = await german.newPage()
  await seite.goto(stage.program.link)
  await seite.getByRole('navigation', { name: 'Seiten' }).first().getByRole('link', { name: 'Aktivität' }).click()
  await seite.getByRole('heading', { name: 'Aktivität und Prüfprotokoll', level: 1 }).waitFor()
  tamper('create table kept_leaf as select * from audit_leaf where idx = 200')
  tamper('delete from audit_leaf where idx = 200')
  await seite.getByRole('button', { name: 'In diesem Browser prüfen' }).click()
  await seite.getByText('Falsch: Eintrag 200 ist nicht, was geschrieben wurde.').waitFor()
  await looks.at(seite, 'audit-deutsch', ['desktop', 'phone-dark'])
  tamper('insert into audit_leaf select * from kept_leaf')
  tamper('drop table kept_leaf')
  await german.close()
})

test('a log that was cut off stops the site; the one that a person begins instead is another one to this browser', async () => {
  // Under the same address, which is what browsers keep their memory by.
  await stage.restart(cutOff, Number(new URL(stage.program.link).port))
  await page.goto(stage.program.link)
  await page.locator('[data-testid=health]').waitFor()
  await page.evaluate(() => {
    location.hash = '#/audit'
  })
  await page.getByText('The log was tampered with').waitFor()
  assert.equal(await page.getByTestId('verify-log').count(), 0)
  await looks.at(page, 'audit-lost', ['desktop', 'phone-dark'])
  assert.match(quorate('audit', 'restart', '--reason', 'the test'), /A new log has begun/)
  await page.getByText('Nothing is known to be wrong').waitFor({ timeout: 30_000 })
  await page.getByTestId('verify-log').click()
  await page.getByTestId('verdict-other').waitFor()
  await page.getByRole('button', { name: 'Trust this log from now on' }).click()
  await page.getByTestId('verdict-good').waitFor()
})

test('the browser complained of nothing', () => {
  assert.deepEqual(complaints, [])
})

/** The last hundred entries are gone, and the end of the log says so: as in an older copy of the database. */
function cutOff(): void {
  tamper('delete from audit_leaf where idx >= 300')
  tamper('delete from audit_personal where idx >= 300')
  tamper('update audit_edge set size = 300')
}

function tamper(sql: string): void {
  const database = new DatabaseSync(join(home, 'site.sqlite'), { timeout: 5000 })
  database.exec(sql)
  database.close()
}

async function assertCount(count: number): Promise<void> {
  await page.waitForFunction((wanted) => document.querySelectorAll('[data-index]').length === wanted, count)
}
