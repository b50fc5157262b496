// The page of alarms in a real browser against the real program: a place is emptied, somebody is told by mail, somebody has seen it; a record is written.
import assert from 'node:assert/strict'
import { rmSync, mkdirSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { SMTPServer } from 'smtp-server'
import { createLooks } from './looks.ts'
import { healthyPage, makeStage } from './stage.ts'

const stage = makeStage()
const { folder, quorate, complaints, pictures } = stage
const looks = createLooks(pictures)

let context: BrowserContext
let page: Page
const mails: string[] = []
const box = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS'],
  logger: false,
  onData(stream, _session, done) {
    const parts: Buffer[] = []
    stream.on('data', (part: Buffer) => parts.push(part))
    stream.on('end', () => {
      mails.push(Buffer.concat(parts).toString().replaceAll('=\r\n', ''))
      done()
    })
  },
})

before(async () => {
  await new Promise<void>((done) => box.listen(0, '127.0.0.1', done))
  writeFileSync(join(folder, 'patient-miller.dcm'), Buffer.alloc(300_000, 7))
  quorate('init', ...['north', 'east', 'south'].map((name) => `folder:${join(folder, name)}`), '-k', '2')
  quorate('put', join(folder, 'patient-miller.dcm'), '/')
  await stage.start()
  context = await stage.open({})
  page = await healthyPage(stage, context)
})

after(async () => {
  await stage.end()
  await new Promise<void>((done) => box.close(done))
})

test('nothing rings: the page says what would, and takes the settings; a trial arrives', async () => {
  await page.getByTestId('bell').click()
  await page.getByRole('heading', { name: 'Alarms', level: 1 }).waitFor()
  await page.getByText('Nothing rings.').waitFor()
  await page.getByText('There is no record.').waitFor()
  await page.getByRole('switch', { name: 'Send mail' }).check({ force: true })
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Please look at the fields that are marked.').waitFor()
  await page.getByLabel('Mail server').fill('127.0.0.1')
  await page.getByLabel('Encryption').selectOption('none')
  await page.getByLabel('Port').fill(String((box.server.address() as AddressInfo).port))
  await page.getByLabel('Sender').fill('vault@hospital.example')
  await page.getByLabel('Recipients, one in each line').fill('it@hospital.example\nnight@hospital.example')
  await page.getByRole('button', { name: 'Use this address' }).click()
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Saved.').first().waitFor()
  await page.getByRole('button', { name: 'Send a trial: By mail' }).click()
  await page.getByText('Arrived: night@hospital.example').waitFor()
  assert.equal(mails.length, 2)
  await looks.at(page, 'alarms-quiet')
})

test('a place is emptied: it rings on the page, in the header and by mail, without a name of a file', async () => {
  rmSync(join(folder, 'east'), { recursive: true, force: true })
  mkdirSync(join(folder, 'east'))
  quorate('status')
  const row = page.getByTestId('alarm').filter({ hasText: 'A location was emptied' })
  await row.waitFor()
  await page.getByTestId('bell').getByText('1').waitFor()
  while (mails.length < 4) await page.waitForTimeout(100)
  const told = mails.slice(2).join('\n')
  assert.match(told, /location\.not-ours/)
  assert.match(told, /east/)
  assert.doesNotMatch(told, /miller|dcm/)
  await looks.at(page, 'alarms-ringing')
  await row.getByLabel('What is being done (optional)').fill('the provider was called')
  await row.getByRole('button', { name: /I have seen it/ }).click()
  await row.getByText(/seen by .*the provider was called/).waitFor()
  assert.match(quorate('alarms'), /acknowledged/)
})

test('a record of a breach is begun, written on by keyboard, decided, and never changed', async () => {
  await page.getByRole('button', { name: 'Begin a record' }).click()
  await page.getByRole('dialog').getByLabel('What happened').fill('A notebook was stolen in the tram.')
  await page.getByRole('dialog').getByRole('button', { name: 'Begin a record' }).click()
  const sheet = page.getByTestId('breach-sheet')
  await sheet.getByText('72 of 72 hours are left').or(sheet.getByText('71 of 72 hours are left')).waitFor()
  const form = page.getByRole('form', { name: 'Write into the record' })
  await form.getByLabel('What').selectOption('persons')
  await form.getByLabel('Number, approximately').fill('120')
  await form.getByLabel('Text').fill('from the list of visits')
  await form.getByRole('button', { name: 'Write' }).press('Enter')
  await sheet.getByText('120').first().waitFor()
  await form.getByLabel('What').selectOption('decision')
  await form.getByLabel('Decision', { exact: true }).selectOption('no-notification')
  await form.getByLabel('Decision and reason').fill('encrypted, no risk')
  await form.getByRole('button', { name: 'Write' }).click()
  await sheet.getByText('No notification: unlikely to result in a risk').first().waitFor()
  assert.equal(await sheet.getByRole('listitem').count(), 3)
  await looks.at(page, 'breach-record')
  await page.emulateMedia({ media: 'print' })
  assert.deepEqual(
    [await page.locator('#root').isVisible(), await form.isVisible(), await sheet.isVisible()],
    [false, false, true],
    'only the sheet is printed',
  )
  await page.emulateMedia({ media: 'screen' })
  await page.keyboard.press('Escape')
  await page
    .getByTestId('breach')
    .getByText(/decided/)
    .waitFor()
  assert.match(quorate('breach'), /decided/)
})

test('the page speaks German', async () => {
  const german = await stage.open({ locale: 'de-DE' })
  const other = await german.newPage()
  await other.goto(stage.program.link)
  await other.getByTestId('bell').click()
  await other.getByRole('heading', { name: 'Alarme', level: 1 }).waitFor()
  await other.getByText('Ein Ort wurde geleert oder ist ein anderer').first().waitFor()
  await looks.at(other, 'alarme', ['desktop', 'phone-dark'])
  await german.close()
  assert.deepEqual(complaints, [])
})
