// Adopting files, trying whether the vault comes back, and a site anew from its kit, in a real browser against the real program.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import type { BrowserContext, Page } from 'playwright-core'
import { noPython } from '../storage/recover-py.ts'
import { createLooks } from './looks.ts'
import { healthyPage, makeStage } from './stage.ts'

const stage = makeStage()
const { folder, home, quorate, complaints, pictures } = stage
const looks = createLooks(pictures)

let context: BrowserContext
let page: Page

before(async () => {
  mkdirSync(join(folder, 'old/mri'), { recursive: true })
  writeFileSync(join(folder, 'old/mri/scan.dcm'), Buffer.alloc(200_000, 7))
  writeFileSync(join(folder, 'old/notes.txt'), 'notes')
  symlinkSync('notes.txt', join(folder, 'old/link'))
  quorate('init', ...['north', 'east', 'south'].map((name) => `folder:${join(folder, name)}`), '-k', '2')
  await stage.start()
  context = await stage.open({ waitMs: 30_000 })
  page = await healthyPage(stage, context)
})

after(() => stage.end())

test('a folder is looked at, then adopted; what was passed over is named', async () => {
  await page.getByRole('button', { name: 'Upload' }).click()
  await page.getByRole('menuitem', { name: 'From a folder of the site, or a bucket' }).click()
  const dialog = page.getByRole('dialog')
  const source = dialog.getByLabel('Folder on this computer')
  await source.fill(join(folder, 'north'))
  await dialog.getByRole('button', { name: 'Look what is there' }).click()
  await dialog.getByRole('alert').filter({ hasText: 'is a location of a vault' }).waitFor()
  await source.fill(join(folder, 'old'))
  await dialog.getByRole('button', { name: 'Look what is there' }).click()
  await dialog.getByTestId('import-preview').getByText('2 files, 200').waitFor()
  await dialog.getByText('link (symbolic links are not followed)').waitFor()
  await looks.at(page, 'import', ['desktop', 'phone-dark'])
  await dialog.getByRole('button', { name: 'Import', exact: true }).click()
  await dialog.locator('[data-testid=import-outcome][data-state=done]').waitFor()
  await dialog.getByText('2 files stored, 0 there already').waitFor()
  await dialog.getByRole('button', { name: 'Close' }).last().click()
  await page.getByRole('grid').or(page.getByRole('table')).getByText('notes.txt').first().waitFor()
})

test('a drill with two people ends in a signed report that is downloaded and verified', { skip: noPython() ?? false }, async () => {
  await page.evaluate(() => {
    location.hash = '#/health'
  })
  const section = page.getByTestId('drill')
  await section.getByText('Nobody has tried yet').waitFor()
  await section.getByRole('button', { name: 'Begin a drill' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('First person').fill('Ada')
  await dialog.getByLabel('Second person').fill(' ada ')
  await dialog.getByRole('button', { name: 'Begin' }).click()
  await dialog.getByText('Name two different people.').waitFor()
  await dialog.getByLabel('Second person').fill('Ben')
  await looks.at(page, 'drill', ['phone-dark'])
  await dialog.getByRole('button', { name: 'Begin' }).click()
  await dialog.locator('[data-testid=drill-outcome][data-state=done]').waitFor({ timeout: 120_000 })
  await dialog.getByText('Passed: everything came back').waitFor()
  await looks.at(page, 'drill-report', ['desktop'])
  const [download] = await Promise.all([page.waitForEvent('download'), dialog.getByRole('button', { name: 'Signed report' }).click()])
  const file = join(folder, 'report.json')
  await download.saveAs(file)
  await dialog.getByRole('button', { name: 'Close' }).last().click()
  await section.getByText('with Ada, Ben.').waitFor()
  assert.match(quorate('drill', 'verify', file), /Both signatures are right\./)
  assert.deepEqual((JSON.parse(readFileSync(file, 'utf8')) as { people: string[] }).people, ['Ada', 'Ben'])
})

test('a site anew from the kit: its officer opens the secrets, one place is elsewhere, one is gone', async () => {
  const identity = await generateX25519Identity()
  writeFileSync(join(folder, 'ada.txt'), `# Ada\n${identity}\n`)
  writeFileSync(join(folder, 'eve.txt'), `${await generateX25519Identity()}\n`)
  quorate('kit', join(folder, 'kit'), '--officer', `Ada=${await identityToRecipient(identity)}`, '--signing-keys')
  const { dealer } = (JSON.parse(quorate('status', '--json')) as { vault: { dealer: string } }).vault
  await stage.restart(() => {
    rmSync(home, { recursive: true })
    renameSync(join(folder, 'south'), join(folder, 'moved'))
  })
  await page.goto(stage.program.link)
  await page.getByRole('button', { name: 'or restore it from its recovery kit' }).click()
  await page.getByRole('heading', { name: 'Restore from a recovery kit' }).waitFor()
  await page.getByTestId('kit-zip').setInputFiles(join(folder, 'old/notes.txt'))
  await page.getByRole('alert').filter({ hasText: 'it is no ZIP archive' }).waitFor()
  await page.getByTestId('kit-folder').setInputFiles(join(folder, 'kit'))
  const form = page.getByTestId('restore')
  await form.getByText(dealer.slice(0, 4)).first().waitFor()
  await page.getByTestId('identity').setInputFiles(join(folder, 'eve.txt'))
  await form.getByRole('alert').filter({ hasText: 'do not open the secrets' }).waitFor()
  await page.getByTestId('identity').setInputFiles(join(folder, 'ada.txt'))
  await form.getByText('The secrets are open.').waitFor()
  await form.getByLabel(/^Where .*south is$/).selectOption('gone')
  await form.getByLabel(/^Where .*north is$/).selectOption('gone')
  await form.getByRole('alert').filter({ hasText: 'At least 2 locations must be there.' }).waitFor()
  await form.getByLabel(/^Where .*south is$/).selectOption('elsewhere')
  await form.getByLabel(/^Place of .*south$/).fill(join(folder, 'moved'))
  await looks.at(page, 'restore', ['desktop', 'phone-dark'])
  await form.getByRole('button', { name: 'Restore' }).click()
  await page.getByTestId('health').waitFor({ timeout: 60_000 })
  await page.getByText('notes.txt').first().waitFor()
  assert.equal((JSON.parse(quorate('status', '--json', '--no-check')) as { vault: { dealer: string } }).vault.dealer, dealer)
  assert.doesNotMatch(`${page.url()} ${stage.program.said()}`, /AGE-SECRET-KEY/)
})

test('nothing broke and no policy was violated on the way', () => {
  assert.deepEqual(complaints, [])
})
