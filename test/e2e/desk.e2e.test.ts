// Finding, granting and the map, in a real browser against the real program.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { createLooks } from './looks.ts'
import { healthyPage, makeStage } from './stage.ts'

const stage = makeStage()
const { folder, quorate, pictures, complaints } = stage
const looks = createLooks(pictures)

let context: BrowserContext
let page: Page

before(async () => {
  writeFileSync(join(folder, 'scan.dcm'), Buffer.alloc(300_000, 7))
  quorate('init', ...['graz', 'vienna', 'zurich'].map((name) => `folder:${join(folder, name)}`), '-k', '2')
  quorate('put', join(folder, 'scan.dcm'), '/studies/lung/Übersicht.dcm')
  quorate('put', join(folder, 'scan.dcm'), '/studies/liver/overview.dcm')
  await stage.start()
  context = await stage.open({})
  page = await healthyPage(stage, context)
})

after(() => stage.end())

test('what lies below is found by a part of its name, and opens where it lies', async () => {
  await page.getByRole('searchbox', { name: 'Filter this folder' }).fill('uber')
  await page.getByRole('button', { name: 'Search in the folders below, too' }).click()
  await page.getByText('1 item found below').waitFor()
  await looks.at(page, 'search')
  await page
    .getByRole('region', { name: 'Search in the folders below, too' })
    .getByRole('button', { name: /Übersicht/ })
    .click()
  await page.getByRole('complementary', { name: /Übersicht/ }).waitFor()
})

test('a folder is given to a group, and taken back', async () => {
  const made = await page.evaluate(async () => {
    const answer = await fetch('/api/v1/groups', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'Pathologists of Hospital West' }),
    })
    return answer.status
  })
  assert.equal(made, 201)
  await page.goto(page.url().replace(/#.*/, '#/files/studies'))
  await page.getByRole('button', { name: 'Actions for lung' }).click()
  await page.getByRole('menuitem', { name: 'Who may open lung' }).click()
  const dialog = page.getByRole('dialog', { name: 'Who may open lung' })
  await dialog.getByText('Nobody was given this yet').waitFor()
  await dialog.getByLabel('Person or group').first().fill('patho')
  await dialog.getByRole('radio', { name: /Pathologists of Hospital West/ }).check()
  await dialog.getByLabel('Right', { exact: true }).selectOption('write')
  await dialog.getByRole('button', { name: 'Give', exact: true }).click()
  await dialog.getByRole('listitem').filter({ hasText: 'Pathologists of Hospital West' }).waitFor()
  await looks.at(page, 'grants')
  assert.match(quorate('grant', 'list', '/studies/lung'), /Pathologists of Hospital West +group +write/)
  await dialog.getByRole('button', { name: 'Take back what Pathologists of Hospital West was given' }).click()
  await dialog.getByText('Nobody was given this yet').waitFor()
  await page.keyboard.press('Escape')
  const said = quorate('audit', 'list')
  assert.match(said, /grant +done +\/studies\/lung/)
  assert.match(said, /revoke +done +\/studies\/lung/)
})

test('the map shows where locations and fragments are, once somebody said so', async () => {
  await page.getByRole('navigation', { name: 'Pages' }).first().getByRole('link', { name: 'Locations' }).click()
  await page.getByText('The map is empty until somebody says').waitFor()
  for (const [name, position] of [
    ['graz', '47.07,15.44'],
    ['vienna', '48.21,16.37'],
    ['zurich', '47.38,8.54'],
  ] as const)
    quorate('location', 'describe', `folder:${join(folder, name)}`, '--position', position)
  await page.reload()
  await page.getByRole('img', { name: /On the map.*graz: / }).scrollIntoViewIfNeeded()
  await looks.at(page, 'map')
  await page.goto(page.url().replace(/#.*/, '#/files/studies/lung?show=%C3%9Cbersicht.dcm'))
  await page.getByText('On a map').click()
  await page.getByRole('img', { name: /Where the fragments of this file are\..*vienna: / }).waitFor()
  await looks.at(page, 'fragments-on-the-map')
  assert.deepEqual(complaints, [])
})
