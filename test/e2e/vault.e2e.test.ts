// The first page from the first link to a repaired vault, in a real browser against the real program.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { BrowserContext, Download, Locator, Page } from 'playwright-core'
import { createLooks } from './looks.ts'
import { phantom } from './phantom.ts'
import { startProgram } from './program.ts'
import { makeStage } from './stage.ts'

const SEEN_MS_MAX = 2000
const FIRST_PAGE_BYTES_MAX = 300_000
const WAIT_MS = 20_000

const stage = makeStage()
const { folder, complaints, pictures } = stage
const looks = createLooks(pictures)
const places = ['north', 'east', 'south'].map((name) => join(folder, name))
const slice = Buffer.concat([phantom(64), phantom(256), randomBytes(3_000_000)])
const scan = randomBytes(12_000_000)

let context: BrowserContext
let page: Page

before(async () => {
  await stage.start()
  context = await stage.open({})
  page = await context.newPage()
})

after(() => stage.end())

step('without the link the page says where to find it', async () => {
  await page.goto(stage.program.origin)
  await page.getByRole('heading', { name: 'Open the link that your terminal shows' }).waitFor()
  await looks.at(page, 'sign-in', ['desktop', 'phone-dark'])
})

step('the link lets in and leaves the address; an old link says so', async () => {
  await page.goto(`${stage.program.origin}/#open=${'x'.repeat(43)}`)
  await page.getByRole('alert').getByText('earlier start').waitFor()
  await page.goto(stage.program.link)
  await page.getByTestId('vault-form').waitFor()
  assert.equal(new URL(page.url()).hash, '')
})

step('the first page is light', async () => {
  const fresh = await stage.open({ locale: 'en-GB' })
  const tab = await fresh.newPage()
  const network = await fresh.newCDPSession(tab)
  let bytes = 0
  network.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength
  })
  await network.send('Network.enable')
  await tab.goto(stage.program.link)
  await tab.getByTestId('vault-form').waitFor()
  await tab.waitForLoadState('networkidle').catch(() => undefined)
  await fresh.close()
  console.log(`# the first page weighs ${bytes} bytes`)
  assert.ok(bytes > 50_000 && bytes < FIRST_PAGE_BYTES_MAX, `${bytes} bytes`)
})

step('the empty page teaches: one place alone is noise', async () => {
  const lesson = page.getByRole('group', { name: /Take a place away/ })
  await lesson.getByRole('button', { name: /Place A/ }).click()
  await page.getByText('Two places: the file opens.').waitFor()
  await lesson.getByRole('button', { name: /Place B/ }).click()
  await page.getByText('One place alone: noise.').waitFor()
  await lesson.getByRole('button', { name: /Place A/ }).click()
  await lesson.getByRole('button', { name: /Place B/ }).click()
})

step('a folder on a server is described in the form, and what is missing is said', async () => {
  const kind = page.getByLabel('Kind of location, Location 3')
  await kind.selectOption({ label: 'SFTP server' })
  await page.getByRole('button', { name: 'Make the vault' }).click()
  await page.getByText('Who logs in there?').waitFor()
  await page.getByText('SHA256: and 43 characters.').waitFor()
  await page.getByLabel('Server', { exact: true }).fill('far.example.org:2222')
  await page.getByLabel('Fingerprint of the server').fill(`SHA256:${'aB+/'.repeat(10)}aB+`)
  await looks.at(page, 'sftp-location')
  await kind.selectOption({ label: 'WebDAV server' })
  await page.getByText('A web address with a folder').waitFor()
  await page.getByLabel('Web address of the folder').fill('https://dav.example.org/vault')
  await looks.at(page, 'webdav-location', ['desktop', 'phone-dark'])
  await kind.selectOption({ label: 'Folder' })
})

step('a vault is made, and its recovery sheet holds what is needed and no secret', async () => {
  const fields = page.getByLabel('Folder on this computer')
  await fields.first().waitFor()
  assert.equal(await fields.count(), 3)
  for (const [index, place] of places.entries()) {
    assert.notEqual(await fields.nth(index).inputValue(), '', 'a folder is suggested')
    await fields.nth(index).fill(index === 2 ? places[0]! : place)
  }
  await page.getByRole('button', { name: 'Make the vault' }).click()
  await page.getByText('Two locations are the same.').waitFor()
  await fields.nth(2).fill(places[2]!)
  await page.evaluate(() => scrollTo(0, 0))
  await looks.at(page, 'make-a-vault')
  await page.getByRole('button', { name: 'Make the vault' }).click()
  const sheet = page.getByTestId('sheet')
  await sheet.waitFor({ timeout: WAIT_MS })
  const text = await sheet.innerText()
  assert.match(text, /any 2 of 3 locations open a file/)
  assert.match(text.replaceAll(' ', ''), /[0-9a-f]{64}/)
  for (const place of places) assert.ok(text.includes(place))
  await looks.at(page, 'recovery-sheet')
  const [kit] = await Promise.all([
    page.waitForEvent('download', { timeout: WAIT_MS }),
    page.getByRole('button', { name: 'Download the recovery kit' }).click(),
  ])
  assert.match(kit.suggestedFilename(), /^quorate-kit-[0-9a-f]{8}-.*\.zip$/)
  const archive = readFileSync(await kit.path()).toString('latin1')
  for (const name of ['kit.json', 'recover.py', 'recover.html', 'sheet.html', 'spec/fragment.md']) assert.ok(archive.includes(name), name)
  await page.getByRole('button', { name: 'Go to the files' }).click()
  await page.getByTestId('vault-picture').waitFor()
  await looks.at(page, 'empty-folder')
})

step('files go in with visible progress', async () => {
  const network = await context.newCDPSession(page)
  await network.send('Network.enable')
  await network.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 5,
    downloadThroughput: -1,
    uploadThroughput: 6_000_000,
  })
  await page.evaluate(() => {
    const seen: number[] = []
    Object.assign(globalThis, { seen })
    setInterval(() => {
      const bar = document.querySelector('[data-testid=dock] [role=progressbar]')
      if (bar !== null) seen.push(Number(bar.getAttribute('aria-valuenow')))
    }, 40)
  })
  await page.getByTestId('choose-files').setInputFiles([
    { name: 'head-phantom.raw', mimeType: 'application/octet-stream', buffer: slice },
    { name: 'scan.dcm', mimeType: 'application/dicom', buffer: scan },
    { name: 'Befund Größe 1,5 %.txt', mimeType: 'text/plain', buffer: Buffer.from('Ohne Befund.') },
    { name: 'empty.csv', mimeType: 'text/csv', buffer: Buffer.alloc(0) },
  ])
  await page.getByTestId('dock').getByText(/\/s/).waitFor()
  await looks.at(page, 'uploading', ['desktop', 'phone-dark'])
  await storedFiles(4)
  const seen = await page.evaluate(() => (globalThis as unknown as { seen: number[] }).seen)
  assert.ok(new Set(seen.filter((value) => value > 0 && value < 100)).size >= 3, `progress moved: ${seen.join(' ')}`)
  await network.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 })
  for (const name of ['head-phantom.raw', 'scan.dcm', 'Befund Größe 1,5 %.txt', 'empty.csv']) await row(name).waitFor()
})

step('a large upload goes on after the page was closed in the middle of it', async () => {
  await clearDock()
  const path = join(folder, 'slide.svs')
  writeFileSync(path, randomBytes(66 * 2 ** 20))
  const network = await context.newCDPSession(page)
  await network.send('Network.enable')
  await network.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 5,
    downloadThroughput: -1,
    uploadThroughput: 20_000_000,
  })
  await page.getByTestId('choose-files').setInputFiles(path)
  await page.waitForFunction(() => {
    const value = Number(document.querySelector('[data-testid=dock] [role=progressbar]')?.getAttribute('aria-valuenow'))
    return value > 20 && value < 90
  })
  page.once('dialog', (dialog) => void dialog.accept())
  await page.reload()
  const left = page.getByTestId('unfinished')
  await left.getByText('slide.svs').waitFor()
  await looks.at(page, 'unfinished-upload', ['desktop', 'phone-dark'])
  await network.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 })
  await page.getByTestId('choose-files').setInputFiles(path)
  await page.getByTestId('dock-title').getByText('1 file stored').waitFor({ timeout: 60_000 })
  await left.waitFor({ state: 'detached' })
  await row('slide.svs').waitFor()
  await clearDock()
  // The steps after this one count on their own files.
  await page.evaluate(async () => (await fetch('/api/v1/files?path=/slide.svs&now=true', { method: 'DELETE' })).status)
  await row('slide.svs').waitFor({ state: 'detached' })
})

step('an upload can be cancelled, and nothing of it stays', async () => {
  const network = await context.newCDPSession(page)
  await network.send('Network.enable')
  await network.send('Network.emulateNetworkConditions', { offline: false, latency: 5, downloadThroughput: -1, uploadThroughput: 500_000 })
  await page.getByTestId('choose-files').setInputFiles([{ name: 'unwanted.bin', mimeType: '', buffer: randomBytes(8_000_000) }])
  await page.getByRole('button', { name: 'Cancel unwanted.bin' }).click()
  await page.getByTestId('dock-title').getByText('1 cancelled').waitFor()
  await network.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 })
  await clearDock()
  assert.equal(await row('unwanted.bin').count(), 0)
})

step('a whole folder goes in with what is below it, and files can be dropped', async () => {
  const series = join(folder, 'series')
  mkdirSync(join(series, 'T2'), { recursive: true })
  for (const name of ['a.dcm', 'b.dcm', 'T2/c.dcm']) writeFileSync(join(series, name), randomBytes(5000))
  await page.getByTestId('choose-folder').setInputFiles(series)
  await storedFiles(3)
  await row('series').waitFor()
  const transfer = await page.evaluateHandle(() => {
    const data = new DataTransfer()
    data.items.add(new File(['dropped here'], 'dropped.txt', { type: 'text/plain' }))
    return data
  })
  await page.dispatchEvent('[data-testid=drop-zone]', 'dragenter', { dataTransfer: transfer })
  await page.getByText('Drop files and folders here').waitFor()
  await page.dispatchEvent('[data-testid=drop-zone]', 'drop', { dataTransfer: transfer })
  await row('dropped.txt').waitFor()
  await row('series')
    .getByRole('button', { name: /series/ })
    .first()
    .click()
  await row('T2').waitFor()
  await row('a.dcm').waitFor()
  await page.getByRole('navigation', { name: 'You are here' }).getByRole('link', { name: 'Vault' }).click()
  await row('scan.dcm').waitFor()
  await clearDock()
  await looks.at(page, 'files')
})

step('what comes out is what went in', async () => {
  assert.ok(scan.equals(await bytesOf(await downloadByMenu('scan.dcm'))))
  assert.ok(slice.equals(await bytesOf(await downloadByMenu('head-phantom.raw'))))
  assert.equal((await bytesOf(await downloadByMenu('empty.csv'))).length, 0)
})

step('one fragment is noise, whatever the file is', async () => {
  await row('head-phantom.raw')
    .getByRole('button', { name: /head-phantom/ })
    .first()
    .click()
  const details = page.getByTestId('details')
  await details.getByText('Any 2 of these 3 open the file.').waitFor()
  assert.equal(await details.getByRole('button', { name: /held/ }).count(), 3)
  await looks.at(page, 'details', ['desktop', 'dark'])
  await details.getByRole('button', { name: 'Look at one fragment' }).click()
  const fragment = page.getByTestId('fragment')
  await fragment.getByText('This is all that this location knows of the file: noise.').waitFor()
  await fragment.getByText(/sizes and times/).waitFor()
  await fragment.getByRole('button', { name: 'Compare with the file itself' }).click()
  await fragment.getByText('The file itself', { exact: true }).waitFor()
  const bits = await Promise.all(
    (await fragment.getByText(/bits per byte/).all()).map(async (line) => Number(/([\d.]+) bits/.exec(await line.innerText())?.[1])),
  )
  assert.ok(bits[0]! > 7.9 && bits[1]! < 4, `fragment ${bits[0]} bits, file ${bits[1]} bits`)
  await fragment.scrollIntoViewIfNeeded()
  await fragment.evaluate((element) => element.scrollIntoView({ block: 'start' }))
  await looks.at(page, 'fragment', ['desktop', 'dark'])
  await page.setViewportSize({ width: 390, height: 844 })
  await page.getByRole('dialog', { name: /Details of head-phantom/ }).waitFor()
  await page.getByRole('button', { name: 'Look at one fragment' }).click()
  await page.getByTestId('fragment').getByText(/noise/).waitFor()
  await looks.at(page, 'fragment', ['phone', 'phone-dark'])
  await page.keyboard.press('Escape')
  await page.getByTestId('vault-picture').waitFor()
})

step('versions: the old one stays and can be had', async () => {
  await page
    .getByTestId('choose-files')
    .setInputFiles([{ name: 'dropped.txt', mimeType: 'text/plain', buffer: Buffer.from('second version') }])
  await page.getByTestId('dock').waitFor()
  await row('dropped.txt')
    .getByRole('button', { name: /dropped/ })
    .first()
    .click()
  const details = page.getByTestId('details')
  await details.getByText('Version 2 (current)').waitFor()
  assert.equal(
    (await bytesOf(await download(() => details.getByRole('button', { name: 'Download version 1' }).click()))).toString(),
    'dropped here',
  )
  assert.equal(
    (await bytesOf(await download(() => details.getByRole('button', { name: 'Download version 2' }).click()))).toString(),
    'second version',
  )
  await details.getByRole('button', { name: 'Remove version 1' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
  await details.getByRole('button', { name: 'Download version 1' }).waitFor({ state: 'detached' })
  await page.keyboard.press('Escape')
  await clearDock()
})

step('a location that is taken away shows within two seconds, and every file still opens', async () => {
  await page.evaluate(() => Object.assign(globalThis, { sameDocument: true }))
  renameSync(places[1]!, `${places[1]}.away`)
  const since = performance.now()
  await page.getByTestId('vault-picture').locator('[data-tone=bad]').first().waitFor()
  const took = performance.now() - since
  assert.ok(took < SEEN_MS_MAX, `seen after ${took} ms`)
  await page.getByTestId('banner').getByText('Every file still opens').waitFor()
  assert.equal(await page.evaluate(() => 'sameDocument' in globalThis), true, 'without a reload')
  await page
    .getByTestId('announcer')
    .getByText(/degraded/)
    .waitFor({ state: 'attached' })
  assert.ok(scan.equals(await bytesOf(await downloadByMenu('scan.dcm'))))
  await looks.at(page, 'location-away')
  await page.getByRole('button', { name: 'Repair' }).click()
  await page.getByTestId('banner').getByText(`${places[1]}: location does not answer`).waitFor()
  await page.goto(`${stage.program.origin}/#/locations`)
  const away = page.getByTestId('location').filter({ hasText: places[1]! })
  await away.getByText('Bring it back as it was').waitFor()
  await looks.at(page, 'locations')
})

step('an empty folder in its place and one button make the vault healthy again', async () => {
  mkdirSync(places[1]!)
  await page.getByTestId('location').filter({ hasText: places[1]! }).getByText('Empty', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Repair' }).click()
  await healthy()
  await page.getByTestId('tasks').locator('[data-kind=repair][data-state=done]').first().waitFor()
  assert.equal(await page.getByTestId('banner').count(), 0)
  assert.ok(existsSync(join(places[1]!, 'location.json')))
})

step('damaged bytes are found, the place is named, and repair mends them', async () => {
  const victim = largestFile(places[2]!)
  const bytes = readFileSync(victim)
  for (let at = 100_000; at < 100_064; at++) bytes[at]! ^= 0xff
  writeFileSync(victim, bytes)
  await page.getByRole('button', { name: 'Check everything' }).click()
  const report = page.getByRole('table', { name: 'Report' }).first()
  await report.getByText('damaged').first().waitFor({ timeout: WAIT_MS })
  assert.match(await report.innerText(), new RegExp(`${places[2]}[\\s\\S]*/scan.dcm`))
  await page.getByTestId('banner').waitFor()
  await looks.at(page, 'damage')
  await page.getByRole('button', { name: 'Repair' }).click()
  await healthy()
  await page.getByRole('button', { name: 'Check everything' }).click()
  await page.getByTestId('tasks').getByText('All is as it should be.').first().waitFor({ timeout: WAIT_MS })
})

step('everything can be done from the keyboard', async () => {
  await page.goto(`${stage.program.origin}/#/files/`)
  await page.reload()
  await row('scan.dcm').waitFor()
  await page.keyboard.press('Tab')
  assert.equal(await focused(), 'Skip to the content')
  await page.keyboard.press('Enter')
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'content')
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
  await looks.at(page, 'shortcuts', ['desktop', 'dark'])
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.keyboard.press('n')
  await page.getByRole('dialog', { name: 'New folder' }).waitFor()
  await fieldHasFocus()
  await page.keyboard.type('Archive')
  await page.keyboard.press('Enter')
  await row('Archive').waitFor()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await tabTo(/Archive/)
  await page.keyboard.press('End')
  assert.match(await focused(), /series|scan\.dcm/)
  await page.keyboard.press('Home')
  assert.match(await focused(), /Archive/)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Archive' }).waitFor()
  assert.match(await focused(), /Archive/, 'the focus comes along')
  await page.keyboard.press('Alt+ArrowUp')
  await row('dropped.txt').waitFor()
  await page.keyboard.press('ArrowDown')
  assert.match(await focused(), /Archive/)
  await page.keyboard.press('End')
  await page.keyboard.press('Enter')
  await page.getByTestId('details').waitFor()
  await page.keyboard.press('Escape')
  assert.match(await focused(), /scan\.dcm/, 'the focus goes back to the row')
  await page.keyboard.press('/')
  await page.keyboard.type('dropp')
  await row('scan.dcm').waitFor({ state: 'detached' })
  await tabTo(/dropped\.txt/)
  await page.keyboard.press('F2')
  await page.getByRole('dialog', { name: 'Rename dropped.txt' }).waitFor()
  await fieldHasFocus()
  await page.keyboard.type('dropped again')
  await page.keyboard.press('Enter')
  await row('dropped again.txt').waitFor()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await tabTo(/dropped again/)
  await page.keyboard.press('Space')
  await page.getByRole('toolbar', { name: '1 selected' }).waitFor()
  await page.keyboard.press('Delete')
  await page.getByRole('dialog', { name: 'Remove dropped again.txt?' }).waitFor()
  await page.locator('[role=dialog] button:focus').getByText('Cancel').waitFor()
  await looks.at(page, 'remove', ['desktop', 'phone-dark'])
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await row('dropped again.txt').waitFor({ state: 'detached' })
  await page.getByRole('searchbox').fill('')
})

step('what was removed comes back, the past of a folder is asked for, and what goes for good leaves a record', async () => {
  const trash = page.getByRole('link', { name: 'Trash' }).first()
  await trash.click()
  await page.getByRole('heading', { name: 'Trash', exact: true }).waitFor()
  await page.getByRole('button', { name: 'Restore dropped again.txt' }).waitFor()
  await looks.at(page, 'trash', ['desktop', 'phone-dark'])
  await page.getByRole('button', { name: 'Restore dropped again.txt' }).click()
  await row('dropped again.txt').waitFor()
  await choose('dropped again.txt', 'Remove')
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
  await row('dropped again.txt').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'The past of this folder' }).click()
  await page.getByRole('menuitem', { name: 'As it was' }).click()
  const moment = page.getByRole('dialog', { name: 'Vault as it was' })
  await moment.getByRole('alert').getByText('known from').waitFor()
  await looks.at(page, 'as-it-was', ['desktop', 'phone-dark'])
  await moment.getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('button', { name: 'The past of this folder' }).click()
  await page.getByRole('menuitem', { name: 'How long' }).click()
  const keeping = page.getByRole('dialog', { name: 'How long Vault keeps things' })
  await keeping.getByLabel('Days in the trash').fill('14')
  await keeping.getByRole('button', { name: 'Save' }).click()
  await keeping.waitFor({ state: 'detached' })
  await trash.click()
  await page.getByRole('button', { name: 'Delete for good: dropped again.txt' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete for good' }).click()
  await page.getByRole('button', { name: 'Delete for good: dropped again.txt' }).waitFor({ state: 'detached' })
  const gone = page.getByRole('listitem').filter({ hasText: 'dropped again.txt' })
  await gone.getByText('gone everywhere').waitFor({ timeout: 40_000 })
  const record = JSON.parse((await bytesOf(await download(() => gone.getByRole('link', { name: /^Record/ }).click()))).toString()) as {
    readonly state: string
    readonly path: string
  }
  assert.deepEqual([record.state, record.path], ['closed', '/dropped again.txt'])
  await page.getByRole('link', { name: 'Files' }).first().click()
  await row('scan.dcm').waitFor()
})

step('move and copy walk through the folders', async () => {
  await choose('Befund Größe 1,5 %.txt', 'Move')
  const dialog = page.getByRole('dialog', { name: /^Move Befund/ })
  await dialog.getByRole('button', { name: 'Archive' }).click()
  await looks.at(page, 'move', ['desktop', 'phone'])
  await dialog.getByRole('button', { name: 'To Archive' }).click()
  await row('Befund Größe 1,5 %.txt').waitFor({ state: 'detached' })
  await choose('empty.csv', 'Copy')
  const copy = page.getByRole('dialog', { name: /^Copy empty/ })
  await copy.getByLabel('Name of the copy').fill('copy.csv')
  await copy.getByRole('button', { name: 'To Vault' }).click()
  await row('copy.csv').waitFor()
  await row('Archive')
    .getByRole('button', { name: /Archive/ })
    .first()
    .click()
  await row('Befund Größe 1,5 %.txt').waitFor()
})

step('the page speaks German to a German browser, and a choice is remembered', async () => {
  const german = await stage.open({ locale: 'de-AT' })
  const tab = await german.newPage()
  await tab.goto(stage.program.link)
  await tab.getByRole('link', { name: 'Dateien' }).first().waitFor()
  assert.equal(await tab.evaluate(() => document.documentElement.lang), 'de')
  await tab.getByRole('cell', { name: '12 MB' }).waitFor()
  await looks.at(tab, 'deutsch', ['desktop', 'phone-dark'])
  await tab.getByRole('button', { name: 'Sprache und Darstellung' }).click()
  await tab.getByRole('menuitemradio', { name: 'English' }).click()
  await tab.getByRole('link', { name: 'Files' }).first().waitFor()
  await tab.reload()
  await tab.getByRole('link', { name: 'Files' }).first().waitFor()
  await german.close()
})

step('a site that stops says so, loses nothing, and goes on after the next start', async () => {
  await page.goto(`${stage.program.origin}/#/files/`)
  await row('scan.dcm').waitFor()
  await stage.restart(async () => {
    await page.getByTestId('stopped').getByText('Nothing is lost').waitFor({ timeout: WAIT_MS })
    await looks.at(page, 'stopped', ['desktop', 'phone-dark'])
  }, stage.program.port)
  await page.getByRole('heading', { name: 'Open the link that your terminal shows' }).waitFor({ timeout: WAIT_MS })
  await page.goto(stage.program.link)
  await row('scan.dcm').waitFor()
  assert.ok(scan.equals(await bytesOf(await downloadByMenu('scan.dcm'))))
})

step('a lost computer: another one brings the vault back from two locations', async () => {
  renameSync(places[1]!, `${places[1]}.lost`)
  const other = await startProgram({ home: join(folder, 'other') })
  const fresh = await stage.open({ locale: 'en-GB' })
  const tab = await fresh.newPage()
  try {
    await tab.goto(other.link)
    await tab.getByRole('button', { name: 'Bring it back from its locations' }).click()
    const fields = tab.getByLabel('Folder on this computer')
    await fields.nth(0).fill(places[0]!)
    await fields.nth(1).fill(join(folder, 'new'))
    await fields.nth(2).fill(places[2]!)
    await looks.at(tab, 'bring-back', ['desktop', 'phone-dark'])
    await tab.getByRole('button', { name: 'Bring it back', exact: true }).click()
    const found = tab.getByRole('table').first()
    await found.getByText('scan.dcm').waitFor({ timeout: 60_000 })
    const [begun] = await Promise.all([
      tab.waitForEvent('download'),
      (async () => {
        await found.getByRole('button', { name: 'Actions for scan.dcm' }).click()
        await tab.getByRole('menuitem', { name: 'Download' }).click()
      })(),
    ])
    assert.ok(scan.equals(await bytesOf(begun)))
    await looks.at(tab, 'brought-back', ['desktop'])
    await tab.getByRole('button', { name: 'Repair' }).click()
    await tab.locator('[data-testid=health][data-health=healthy]').waitFor({ timeout: 60_000 })
  } finally {
    await fresh.close()
    await other.stop()
  }
})

step('nothing broke and no policy was violated on the way', () => {
  assert.deepEqual(complaints, [])
})

let broken = false

/** A step of one long walk: after one that failed, the rest has nothing to stand on. */
function step(name: string, walk: () => unknown): void {
  test(name, async (t) => {
    if (broken) return t.skip('an earlier step failed')
    broken = true
    try {
      await walk()
    } catch (error) {
      await page?.screenshot({ path: join(tmpdir(), 'quorate-e2e-failed.png') }).catch(() => undefined)
      t.diagnostic(stage.program.said())
      throw error
    }
    broken = false
  })
}

function row(name: string): Locator {
  return page
    .getByRole('table')
    .first()
    .locator('tbody tr')
    .filter({ has: page.locator(`[title="${name}"]`) })
}

async function storedFiles(count: number): Promise<void> {
  await page.getByTestId('dock-title').getByText(`${count} files stored`).waitFor({ timeout: 60_000 })
}

/** A list of what went well also goes by itself. */
async function clearDock(): Promise<void> {
  await page
    .getByRole('button', { name: 'Clear the list' })
    .click({ timeout: 3000 })
    .catch(() => undefined)
  await page.getByTestId('dock').waitFor({ state: 'detached' })
}

async function healthy(): Promise<void> {
  await page.locator('[data-testid=health][data-health=healthy]').waitFor({ timeout: 60_000 })
}

async function choose(name: string, action: string): Promise<void> {
  await row(name)
    .getByRole('button', { name: `Actions for ${name}` })
    .click()
  await page.getByRole('menuitem', { name: action, exact: true }).click()
}

function downloadByMenu(name: string): Promise<Download> {
  return download(() => choose(name, 'Download'))
}

async function download(act: () => Promise<void>): Promise<Download> {
  const [begun] = await Promise.all([page.waitForEvent('download'), act()])
  return begun
}

async function bytesOf(begun: Download): Promise<Buffer> {
  return readFileSync(await begun.path())
}

function focused(): Promise<string> {
  return page.evaluate(() => document.activeElement?.textContent ?? '')
}

/** Dialogs give the focus to their field a moment after they appear. */
async function fieldHasFocus(): Promise<void> {
  await page.locator('[role=dialog] input:focus').waitFor()
}

async function tabTo(what: RegExp): Promise<void> {
  for (let steps = 0; steps < 40; steps++) {
    if (what.test(await focused()) && (await page.evaluate(() => document.activeElement?.tagName === 'BUTTON'))) return
    await page.keyboard.press('Tab')
  }
  assert.fail(`Tab does not reach ${String(what)}`)
}

function largestFile(place: string): string {
  const files = globSync('**/*', { cwd: place }).map((name) => join(place, name))
  return files.filter((file) => statSync(file).isFile()).toSorted((a, b) => statSync(b).size - statSync(a).size)[0]!
}
