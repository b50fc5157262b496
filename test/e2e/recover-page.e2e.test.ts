// recovery/recover.html as a person meets it: opened from the disk, in a real browser, without any network.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { after, before, test } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { buildRecoveryPage, PAGE, PAGE_BYTES_MAX } from '../../scripts/build-recovery-page.ts'
import { startBrowser, type StartedBrowser } from '../browser.ts'
import { hashOf } from '../storage/crash-model.ts'
import { makeSite, pattern, put, type TestSite } from '../storage/site.ts'
import { createLooks } from './looks.ts'

const FRAGMENTS = join(import.meta.dirname, '../data/fragment')

let started: StartedBrowser
let context: BrowserContext
let page: Page
let scratch: string
const requests: string[] = []
const complaints: string[] = []

before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'recover-page-'))
  started = await startBrowser()
  context = await started.browser.newContext({ acceptDownloads: true, locale: 'en-GB', offline: true })
})

after(async () => {
  await started?.close()
  await rm(scratch, { recursive: true, force: true })
})

async function open(): Promise<void> {
  for (const old of context.pages()) await old.close()
  page = await context.newPage()
  page.on('request', (request) => requests.push(request.url()))
  page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())))
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.goto(pathToFileURL(PAGE).href)
}

async function choose(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    const before = await page.locator('#places li').count()
    await page.locator('#folder').setInputFiles(folder)
    await page.locator('#places li').nth(before).waitFor()
  }
}

async function lookThrough(): Promise<void> {
  await page.locator('#look').click()
  await page.locator('.vault, #nothing').first().waitFor()
}

async function saved(click: () => Promise<void>): Promise<Buffer> {
  const [download] = await Promise.all([page.waitForEvent('download'), click()])
  const file = join(scratch, `download-${Math.random()}`)
  await download.saveAs(file)
  return readFileSync(file)
}

/** Names and hashes of what an archive without compression holds, by its central directory. */
function unzip(bytes: Buffer): Map<string, string> {
  const files = new Map<string, string>()
  const end = bytes.lastIndexOf(Buffer.from('PK\u0005\u0006', 'latin1'))
  let at = bytes.readUInt32LE(end + 16)
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left--) {
    const [size, nameLength, extraLength, offset] = [
      bytes.readUInt32LE(at + 24),
      bytes.readUInt16LE(at + 28),
      bytes.readUInt16LE(at + 30),
      bytes.readUInt32LE(at + 42),
    ]
    const begin = offset + 30 + bytes.readUInt16LE(offset + 26) + bytes.readUInt16LE(offset + 28)
    files.set(bytes.toString('utf8', at + 46, at + 46 + nameLength), hashOf(bytes.subarray(begin, begin + size)))
    at += 46 + nameLength + extraLength
  }
  return files
}

async function busySite(request: Parameters<typeof makeSite>[0]): Promise<TestSite> {
  const site = await makeSite(request)
  await put(site.storage, '/mri/scan ä.dcm', pattern(700_000, 1))
  await put(site.storage, '/notes.txt', new TextEncoder().encode('hello'))
  await put(site.storage, '/old.txt', pattern(9, 3))
  await site.storage.move({ from: '/old.txt', to: '/new.txt', replace: false })
  await site.storage.createFolder({ path: '/empty' })
  return site
}

const EXPECTED = new Map([
  ['empty/', hashOf(new Uint8Array(0))],
  ['mri/', hashOf(new Uint8Array(0))],
  ['mri/scan ä.dcm', hashOf(pattern(700_000, 1))],
  ['new.txt', hashOf(pattern(9, 3))],
  ['notes.txt', hashOf(new TextEncoder().encode('hello'))],
])

test('the committed page is what its sources give, and small', async () => {
  const built = await buildRecoveryPage()
  assert.ok(Buffer.byteLength(built) <= PAGE_BYTES_MAX)
  assert.equal(readFileSync(PAGE, 'utf8') === built, true, 'run node bin/run.mjs scripts/build-recovery-page.ts')
  assert.match(built, /default-src 'none'/)
})

for (const layout of ['shared', 'sealed'] as const)
  test(`${layout}: k folders are chosen, the sheet typed, everything is saved as one archive`, async (t) => {
    const site = await busySite({ layout })
    t.after(() => site.end())
    const { dealer } = (await site.storage.site()).vault!
    await site.storage.close()
    await open()
    await choose(site.folders.slice(1))
    await page.locator('#dealer').fill(dealer.toUpperCase().replaceAll(/(.{8})/g, '$1 '))
    await page.locator('#k').fill('2')
    await lookThrough()
    const text = await page.locator('.vault').innerText()
    assert.match(text, /Vault Test/)
    assert.match(text, /Any 2 of 3 places/)
    assert.match(text, /the one of your recovery sheet/)
    assert.ok(text.includes(`folder:${site.folders[0]}`), 'it tells where the third place is')
    assert.deepEqual(unzip(await saved(() => page.locator('.save-all').click())), EXPECTED)
    await page.locator('.outcome').waitFor()
    assert.match(await page.locator('.outcome').innerText(), /3 files came back, every byte of them checked\.\s+Nothing wrong was seen/)
    const one = await saved(() => page.getByRole('button', { name: 'Save /mri/scan ä.dcm' }).click())
    assert.equal(hashOf(one), EXPECTED.get('mri/scan ä.dcm'))
  })

test('a liar is named in German, and the right bytes come back; without a sheet it is said who is not verified', async (t) => {
  const site = await busySite({})
  t.after(() => site.end())
  const [fragment] = (await site.storage.placement({ path: '/mri/scan ä.dcm' })).fragments
  await site.storage.close()
  const file = join(site.folders[fragment!.x - 1]!, fragment!.name!)
  const bytes = readFileSync(file)
  bytes[300_000]! ^= 4
  await writeFile(file, bytes)
  await open()
  await choose(site.folders)
  await page.locator('#language').click()
  await lookThrough()
  assert.match(await page.locator('.vault').innerText(), /Nur aus dem Tresor bekannt/)
  assert.deepEqual(unzip(await saved(() => page.locator('.save-all').click())), EXPECTED)
  await page.locator('.notes').waitFor()
  assert.match(await page.locator('.notes').innerText(), /^a: .*innen beschädigt/)
  assert.match(await page.locator('.outcome').innerText(), /3 Dateien sind zurück/)
})

test('too few places give nothing, and it is said what to do', async (t) => {
  const site = await busySite({ threshold: 3, count: 4 })
  t.after(() => site.end())
  await site.storage.close()
  await open()
  await choose(site.folders.slice(0, 2))
  await lookThrough()
  assert.equal(await page.locator('tbody tr').count(), 0)
  await choose([site.folders[3]!])
  await lookThrough()
  assert.equal(await page.locator('tbody tr').count(), 3)
})

test('single fragments of the vectors, dropped by hand', async () => {
  await open()
  for (const x of [1, 3]) await page.locator('#files').setInputFiles(join(FRAGMENTS, 's2-2of3-70000', `${x}.frg`))
  await page.locator('#places li').nth(1).waitFor()
  await lookThrough()
  const expected = JSON.parse(readFileSync(join(FRAGMENTS, 's2-2of3-70000', 'expect.json'), 'utf8')) as { sha256: string }
  assert.equal(hashOf(await saved(() => page.locator('tbody button').click())), expected.sha256)
  assert.match(await page.locator('.vault').innerText(), /not verified/)
})

test('folders are dropped onto the page: each is a place', async (t) => {
  const site = await busySite({})
  t.after(() => site.end())
  await site.storage.close()
  await open()
  const drop = await context.newCDPSession(page)
  await page.bringToFront()
  const box = (await page.locator('#drop').boundingBox())!
  const at = { x: box.x + 20, y: box.y + 20 }
  const data = { items: [], files: site.folders.slice(0, 2), dragOperationsMask: 1 }
  // Chromium drops only when the page's answer to an earlier dragOver has come back to it, which nothing tells.
  const send = (type: 'dragEnter' | 'dragOver' | 'drop'): Promise<unknown> => drop.send('Input.dispatchDragEvent', { type, ...at, data })
  for (let tried = 0; tried < 20 && (await page.locator('#places li').count()) === 0; tried++) {
    await send('dragEnter')
    await send('dragOver')
    await page.waitForTimeout(100)
    await send('dragOver')
    await page.waitForTimeout(100)
    await send('drop')
    await page.waitForTimeout(500)
  }
  assert.equal(await page.locator('#places li').count(), 2)
  await lookThrough()
  assert.deepEqual(unzip(await saved(() => page.locator('.save-all').click())), EXPECTED)
})

test('by keyboard, on a phone, light and dark; nothing went over a network and nothing was refused by the policy', async (t) => {
  const site = await busySite({})
  t.after(() => site.end())
  await site.storage.close()
  await open()
  await choose(site.folders)
  await page.locator('#look').focus()
  await page.keyboard.press('Enter')
  await page.locator('.vault').waitFor()
  await createLooks(scratch).at(page, 'recover-page')
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), true)
  assert.deepEqual(complaints, [])
  assert.deepEqual(
    requests.filter((one) => !one.startsWith('file:') && !one.startsWith('blob:')),
    [],
  )
})
