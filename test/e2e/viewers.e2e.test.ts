// Files open in viewers that read ranges, in a real browser against the real program.
import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { makeParquet, makePdf } from '../web/view/file-makers.ts'
import { halved, makeDicom, makeSlideLevel, UID_ROOT } from '../web/view/dicom-maker.ts'
import { readPng } from '../web/view/png-reader.ts'
import { filesOf, hasProgram, run } from '../web/view/real-files.ts'
import { createLooks } from './looks.ts'
import { phantom } from './phantom.ts'
import { healthyPage, makeStage } from './stage.ts'

const SLICES = 24
const SIDE = 128

const stage = makeStage()
const { folder, quorate, complaints, pictures } = stage
const looks = createLooks(pictures)
const source = join(folder, 'source')

let context: BrowserContext
let page: Page
let ihc: string | undefined
let variants: string | undefined
let scans: string | undefined

before(async () => {
  const skipped: Pick<TestContext, 'skip'> = { skip: (line) => console.log(`# ${line ?? ''}`) }
  for (const name of ['series', 'slide']) mkdirSync(join(source, name), { recursive: true })
  ihc = await filesOf('python3-skimage', skipped)
  variants = await filesOf('r-bioc-variantannotation', skipped)
  scans = await filesOf('python3-pydicom', skipped)
  if (ihc !== undefined) {
    const png = join(ihc, 'ihc.png')
    copyFileSync(png, join(source, 'tissue.png'))
    const picture = readPng(readFileSync(png))
    writeFileSync(join(source, 'slide/level-1.dcm'), makeSlideLevel({ ...picture, tile: 128, micrometres: 0.5, number: 1 }))
    writeFileSync(join(source, 'slide/level-2.dcm'), makeSlideLevel({ ...halved(picture), tile: 128, micrometres: 1, number: 2 }))
    if (hasProgram('vips', 'libvips-tools', skipped)) {
      // The first level of the slide in JPEG, as scanners write it.
      run('vips', ['dzsave', png, join(source, 'tiles'), '--tile-size', '128', '--overlap', '0', '--depth', 'one', '--suffix', '.jpg'])
      const jpegs = Array.from({ length: 16 }, (_, index) =>
        readFileSync(join(source, `tiles_files/0/${index % 4}_${Math.floor(index / 4)}.jpg`)),
      )
      for (const made of ['tiles_files', 'tiles.dzi']) rmSync(join(source, made), { recursive: true })
      writeFileSync(join(source, 'slide/level-1.dcm'), makeSlideLevel({ ...picture, tile: 128, micrometres: 0.5, number: 1, jpegs }))
      // A large picture out of the real one: several of it side by side, as a scanner would store it.
      run('vips', ['replicate', png, join(source, 'wide.v'), '8', '8'])
      run('vips', [
        'tiffsave',
        join(source, 'wide.v'),
        join(source, 'slide.tif'),
        '--tile',
        '--pyramid',
        '--compression',
        'jpeg',
        '--xres',
        '2000',
        '--yres',
        '2000',
        '--resunit',
        'cm',
        '--tile-width',
        '256',
        '--tile-height',
        '256',
      ])
    }
  }
  if (variants !== undefined)
    for (const ending of ['', '.tbi']) copyFileSync(join(variants, `chr22.vcf.gz${ending}`), join(source, `chr22.vcf.gz${ending}`))
  if (scans !== undefined) copyFileSync(join(scans, 'test_files/reportsi.dcm'), join(source, 'report.dcm'))
  for (let slice = 0; slice < SLICES; slice++) writeFileSync(join(source, `series/${slice}.dcm`), makeSlice(slice))
  writeFileSync(join(source, 'table.csv'), csvOf(200_000))
  writeFileSync(
    join(source, 'rows.parquet'),
    makeParquet(
      Array.from({ length: 20_000 }, (_, id) => ({ id, word: `word ${id}` })),
      5000,
    ),
  )
  writeFileSync(join(source, 'letter.pdf'), makePdf(Array.from({ length: 40 }, (_, index) => `This is page ${index + 1}`)))
  writeFileSync(join(source, 'note.txt'), 'Größe: 1,5 %\n'.repeat(3000))
  writeFileSync(join(source, 'data.json'), '{"name":"value","list":[1,2,3]}')
  writeFileSync(join(source, 'trick.jpg'), '<!doctype html><script>document.title="run"</script><h1>Hello</h1>')
  writeFileSync(join(source, 'cut.pdf'), makePdf(['x']).subarray(0, 60))
  writeFileSync(
    join(source, 'broken.png'),
    Buffer.concat([Buffer.from('89504e470d0a1a0a0000000d494844520000001000000010', 'hex'), Buffer.alloc(40, 3)]),
  )
  writeFileSync(join(source, 'empty.csv'), '')
  writeFileSync(join(source, 'short.csv'), 'name,size\na,9\nb,10\nc,-1\n')
  writeFileSync(join(source, 'unknown.bin'), Buffer.from(Array.from({ length: 2000 }, (_, index) => (index * 37) & 255)))
  quorate('init', ...['north', 'east', 'south'].map((name) => `folder:${join(folder, name)}`), '-k', '2')
  quorate('put', source, '/')
  await stage.start()
  context = await stage.open({})
  page = await healthyPage(stage, context)
})

after(() => stage.end())

test('a file opens from the explorer, says what it is, and gives the way back', async () => {
  await view('note.txt', '/')
  const text = page.getByTestId('text')
  await text.getByText('Größe: 1,5 %').first().waitFor()
  await text.getByText('Read as UTF-8').waitFor()
  await looks.at(page, 'view-text', ['desktop', 'phone-dark'])
  await page.keyboard.press('Escape')
  await page.getByTestId('details').waitFor()
  await page.getByRole('link', { name: 'Open', exact: true }).click()
  await text.waitFor()
  await page.reload()
  await text.getByText('Größe').first().waitFor()
})

function makeSlice(slice: number): Buffer {
  const picture = phantom(SIDE)
  const pixels = Buffer.alloc(SIDE * SIDE * 2)
  for (const [index, grey] of picture.entries()) pixels.writeInt16LE(grey === 0 ? -1000 : grey * 4 - 300 + slice * 8, index * 2)
  return makeDicom({
    sopClass: '1.2.840.10008.5.1.4.1.1.2',
    instance: `${UID_ROOT}.20.${slice + 1}`,
    pixels,
    elements: {
      '00080005': ['CS', 'ISO_IR 192'],
      '00080020': ['DA', '20260102'],
      '00080060': ['CS', 'CT'],
      '0008103E': ['LO', 'Head'],
      '00100010': ['PN', 'Müller^Erika'],
      '00100020': ['LO', 'T-2'],
      '00100030': ['DA', '19700101'],
      '0020000D': ['UI', `${UID_ROOT}.21`],
      '0020000E': ['UI', `${UID_ROOT}.22`],
      '00200013': ['IS', SLICES - slice],
      '00200032': ['DS', `-64\\-64\\${slice * 2}`],
      '00200037': ['DS', '1\\0\\0\\0\\1\\0'],
      '00280002': ['US', 1],
      '00280004': ['CS', 'MONOCHROME2'],
      '00280010': ['US', SIDE],
      '00280011': ['US', SIDE],
      '00280030': ['DS', '1\\1'],
      '00280100': ['US', 16],
      '00280101': ['US', 16],
      '00280102': ['US', 15],
      '00280103': ['US', 1],
      '00281050': ['DS', '40'],
      '00281051': ['DS', '400'],
      '00281052': ['DS', '0'],
      '00281053': ['DS', '1'],
    },
  })
}

function csvOf(rows: number): string {
  const lines = Array.from({ length: rows }, (_, row) => `${row},"Person ${row}, ${row % 7}",${((row * 7919) % 100_000) / 10},=1+1`)
  return `number,name,value,formula\n${lines.join('\n')}\n`
}

/** Opens a file by its address. */
async function view(name: string, where: string): Promise<void> {
  await page.goto(`${stage.program.origin}/#/view/source${where}${encodeURIComponent(name)}`)
  await page.getByRole('heading', { name, level: 1 }).waitFor()
}

/** Bytes of files that the page fetched during an act. */
async function bytesDuring(act: () => Promise<void>): Promise<number> {
  let bytes = 0
  const count = async (response: { url(): string; headers(): Record<string, string> }): Promise<void> => {
    if (response.url().includes('/api/v1/content')) bytes += Number(response.headers()['content-length'] ?? 0)
  }
  const listen = (response: Parameters<typeof count>[0]): void => void count(response)
  page.on('response', listen)
  try {
    await act()
  } finally {
    page.off('response', listen)
  }
  return bytes
}

test('a slide is panned and zoomed, and only what is seen is fetched', async (t) => {
  if (ihc === undefined || !hasProgram('vips', 'libvips-tools', t)) return t.skip('no slide')
  const whole = statSync(join(source, 'slide.tif')).size
  const bytes = await bytesDuring(async () => {
    await view('slide.tif', '/')
    await page.locator('[data-testid=slide] [data-open=true]').waitFor()
    await drawn('[data-testid=slide] canvas')
  })
  assert.ok(bytes < whole / 2, `${bytes} of ${whole} bytes were fetched for the first look`)
  await page.getByTestId('scale').getByText('200 µm').waitFor()
  await looks.at(page, 'view-slide')
  const stageOf = page.getByRole('application')
  await stageOf.focus()
  const zoomed = await bytesDuring(async () => {
    for (let press = 0; press < 4; press++) await page.getByRole('button', { name: 'Larger' }).click()
    await page.getByTestId('scale').getByText('50 µm').waitFor()
    await stageOf.focus()
    await page.keyboard.press('ArrowRight')
  })
  assert.ok(bytes + zoomed < whole, 'not all of it')
})

test('a slide in DICOM is one picture of all its levels', async (t) => {
  if (ihc === undefined) return t.skip('no picture')
  await view('level-1.dcm', '/slide/')
  await page.locator('[data-testid=slide] [data-open=true]').waitFor()
  await page.getByText('2 levels').waitFor()
  await drawn('[data-testid=slide] canvas')
  await looks.at(page, 'view-dicom-slide', ['desktop', 'phone'])
})

test('a series is a stack in the order of the body, whatever its numbers and names say', async () => {
  await view('0.dcm', '/series/')
  await page.getByText(`Image 1 of ${SLICES}`).waitFor()
  await page.locator('canvas[data-drawn="/source/series/0.dcm#0"]').waitFor()
  await drawn('[data-testid=stack] canvas')
  await page.getByTestId('patient').getByText('Erika Müller').waitFor()
  await looks.at(page, 'view-series')
  const image = page.getByRole('application')
  await image.focus()
  for (let press = 0; press < 3; press++) await page.keyboard.press('ArrowDown')
  await page.locator('canvas[data-drawn="/source/series/3.dcm#0"]').waitFor()
  await page.keyboard.press('End')
  await page.locator(`canvas[data-drawn="/source/series/${SLICES - 1}.dcm#0"]`).waitFor()
  await page.getByText('centre 40, width 400').waitFor()
  await page.keyboard.press('ArrowLeft')
  await page.getByText('centre 40, width 400').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Hide who it is' }).click()
  await page.getByText('Erika Müller').waitFor({ state: 'detached' })
  await page.reload()
  await page.getByTestId('patient').getByText('Hidden').waitFor()
  // What is still being looked through takes room, and changes the size of the picture when it goes.
  await page.getByText(`Image 1 of ${SLICES}`).waitFor()
  await page.getByText('The folder is being looked through').waitFor({ state: 'detached' })
  await page.getByText('Measure', { exact: true }).click()
  const box = (await page.getByTestId('stack').locator('canvas').boundingBox())!
  await page.mouse.move(box.x + box.width / 4, box.y + box.height / 2)
  await page.mouse.down()
  await page.mouse.move(box.x + (box.width * 3) / 4, box.y + box.height / 2, { steps: 3 })
  await page.mouse.up()
  assert.match(await page.getByTestId('length').innerText(), /Length 6[34]\.\d mm/)
})

test('an object without pixels says so', async (t) => {
  if (scans === undefined) return t.skip('no files')
  await view('report.dcm', '/')
  await page.getByText('There is no picture in this file').waitFor()
})

test('a table of any length scrolls, sorts only when whole, and never computes', async () => {
  await view('table.csv', '/')
  const table = page.getByTestId('table')
  await table.getByRole('cell', { name: 'Person 0, 0' }).waitFor()
  await table.getByRole('cell', { name: '=1+1' }).first().waitFor()
  await looks.at(page, 'view-table')
  assert.match(await table.getByRole('status').innerText(), /rows so far/)
  await table.getByRole('button', { name: 'Read to the end' }).click()
  await table.getByText('200,000 rows', { exact: false }).waitFor()
  const region = table.getByRole('region')
  await region.focus()
  await page.keyboard.press('End')
  await table.getByRole('cell', { name: 'Person 199999, 2' }).waitFor()
  await table.getByLabel('Go to row').fill('100001')
  await page.keyboard.press('Enter')
  await table.getByRole('cell', { name: 'Person 100000, 5' }).waitFor()
  assert.ok((await table.locator('tbody tr').count()) < 80, 'only the rows near the screen are in the page')
})

test('variants: a place is found by the index, and the row says what it means', async (t) => {
  if (variants === undefined) return t.skip('no files')
  await view('chr22.vcf.gz', '/')
  const table = page.getByTestId('table')
  await table.getByRole('columnheader', { name: 'CHROM' }).waitFor()
  await table.getByRole('textbox', { name: 'Region' }).fill('chr22:50300078')
  await table.getByRole('button', { name: 'Find' }).click()
  await table.getByText('Found by the index beside the file').waitFor()
  await table.getByRole('cell', { name: '50300078' }).waitFor()
  await table.getByRole('button', { name: '1', exact: true }).click()
  await page.getByTestId('variant').getByText('22:50300078').waitFor()
  await looks.at(page, 'view-variants', ['desktop', 'phone-dark'])
})

test('Parquet is a table', async () => {
  await view('rows.parquet', '/')
  const table = page.getByTestId('table')
  await table.getByRole('cell', { name: 'word 0', exact: true }).waitFor()
  await table.getByLabel('Go to row').fill('15001')
  await page.keyboard.press('Enter')
  await table.getByRole('cell', { name: 'word 15000', exact: true }).waitFor()
})

test('a short table is sorted by a column', async () => {
  await view('short.csv', '/')
  const table = page.getByTestId('table')
  await table.getByRole('button', { name: 'size' }).click()
  await table.getByRole('columnheader', { name: 'size' }).and(table.locator('[aria-sort=ascending]')).waitFor()
  const names = async (): Promise<string[]> => table.locator('tbody td:nth-of-type(1)').allInnerTexts()
  await page.waitForFunction(() => document.querySelector('[data-testid=table] tbody td')?.textContent === 'c')
  assert.deepEqual(await names(), ['c', 'a', 'b'])
  await table.getByRole('button', { name: 'size' }).click()
  await page.waitForFunction(() => document.querySelector('[data-testid=table] tbody td')?.textContent === 'b')
  assert.deepEqual(await names(), ['b', 'a', 'c'])
})

test('a document shows its pages, and its text can be read aloud', async () => {
  await view('letter.pdf', '/')
  await page.locator('canvas[data-drawn="1"]').waitFor()
  await page.getByText('This is page 1', { exact: true }).waitFor()
  await looks.at(page, 'view-pdf', ['desktop', 'phone-dark'])
  await page.getByLabel('Page', { exact: true }).fill('30')
  await page.keyboard.press('Enter')
  await page.getByText('This is page 30', { exact: true }).waitFor()
  await page.getByText('Page 30 of 40').waitFor()
})

test('pictures are shown, and those that are none say so', async (t) => {
  await view('trick.jpg', '/')
  await page.getByText('By its content this is a web page').waitFor()
  await page.getByTestId('text').getByText('<!doctype html>').waitFor()
  assert.notEqual(await page.title(), 'run')
  await view('broken.png', '/')
  await page.locator('[data-reason=damaged]').waitFor()
  await looks.at(page, 'view-damaged', ['desktop', 'phone-dark'])
  await page.getByRole('button', { name: 'Show the first bytes' }).click()
  await page.getByTestId('hex').waitFor()
  await view('cut.pdf', '/')
  await page.locator('[data-reason]').waitFor()
  await view('empty.csv', '/')
  await page.getByText('This file is empty').waitFor()
  await view('unknown.bin', '/')
  await page.getByTestId('hex').getByText('There is no viewer for it').waitFor()
  await looks.at(page, 'view-hex', ['desktop', 'phone-dark'])
  await view('data.json', '/')
  await page.getByTestId('text').getByText('"list": [').waitFor()
  if (ihc === undefined) return t.skip('no picture')
  await view('tissue.png', '/')
  await page.getByText('512 × 512 pixels').waitFor()
  await page.getByRole('button', { name: 'One to one' }).click()
  await looks.at(page, 'view-image', ['desktop', 'phone-dark'])
})

test('the next and the previous file are one key away, and closing breaks off what is being fetched', async () => {
  await view('data.json', '/')
  await page.getByTestId('text').waitFor()
  await page.keyboard.press('n')
  await page.getByRole('heading', { name: 'empty.csv', level: 1 }).waitFor()
  await page.keyboard.press('p')
  await page.getByRole('heading', { name: 'data.json', level: 1 }).waitFor()
  // The second read of the file never comes back.
  let held = 0
  let isHeld: () => void = () => undefined
  const holding = new Promise<void>((done) => (isHeld = done))
  const dropped = page.waitForEvent('requestfailed')
  await page.route('**/api/v1/content*', async (route) => {
    if (held++ === 0) await route.continue()
    else isHeld()
  })
  await view('table.csv', '/')
  await holding
  await page.keyboard.press('Escape')
  await page.getByTestId('details').waitFor()
  await dropped
  await page.unroute('**/api/v1/content*')
})

test('German', async () => {
  const german = await stage.open({ locale: 'de-DE' })
  const tab = await healthyPage(stage, german)
  await tab.goto(`${stage.program.origin}/#/view/source/series/0.dcm`)
  await tab.getByText(`Bild 1 von ${SLICES}`).waitFor()
  await looks.at(tab, 'view-deutsch', ['desktop'])
  await german.close()
})

test('nothing broke and no policy was violated on the way', () => {
  assert.deepEqual(complaints, [])
})

/** Waits until a canvas shows more than one colour. */
async function drawn(selector: string): Promise<void> {
  await page.waitForFunction((wanted) => {
    for (const canvas of document.querySelectorAll<HTMLCanvasElement>(wanted)) {
      const context = canvas.width > 0 && canvas.height > 0 ? canvas.getContext('2d') : null
      if (context === null) continue
      const colours = new Set(new Uint32Array(context.getImageData(0, 0, canvas.width, canvas.height).data.buffer))
      if (colours.size > 3) return true
    }
    return false
  }, selector)
}
