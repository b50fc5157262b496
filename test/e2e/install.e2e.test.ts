// The sheet that says how to trust the site's own authority, in a real browser: legible everywhere, printable, without a script.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { X509Certificate } from 'node:crypto'
import { startBrowser } from '../browser.ts'
import { certificate } from '../gateways/api/outside/certificates.ts'
import { startGateway } from '../gateways/api/support.ts'
import { createLooks } from './looks.ts'

const pictures = mkdtempSync(join(tmpdir(), 'quorate-install-'))
after(() => rmSync(pictures, { recursive: true, force: true }))

test('the sheet is legible wide and narrow, light and dark, in both languages, and prints on paper', async () => {
  const made = certificate()
  const authority = new X509Certificate(made.authority)
  const install = {
    origin: 'https://vault.hospital.example',
    pem: made.authority,
    der: authority.raw,
    fingerprint: authority.fingerprint256,
    endsMs: authority.validToDate.getTime(),
  }
  await using gateway = await startGateway({ install })
  const started = await startBrowser()
  try {
    const context = await started.browser.newContext({ locale: 'de-DE' })
    const complaints: string[] = []
    context.on('console', (message) => complaints.push(message.text()))
    const page = await context.newPage()
    await page.goto(`http://localhost:${gateway.port}/install`)
    await page.getByRole('heading', { name: 'Dieser Site vertrauen' }).waitFor()
    await createLooks(pictures).at(page, 'install-de')
    await page.getByRole('link', { name: 'English' }).click()
    await page.getByRole('heading', { name: 'Trust this site' }).waitFor()
    await createLooks(pictures).at(page, 'install-en', ['desktop', 'phone-dark'])
    const wide = await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth)
    assert.ok(wide, 'nothing runs out at the side')
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'quorate-authority.crt' }).click()])
    assert.equal(download.suggestedFilename(), 'quorate-authority.crt')
    await page.emulateMedia({ media: 'print' })
    assert.equal(await page.getByRole('link', { name: 'Deutsch' }).isVisible(), false)
    assert.ok(await page.getByText(authority.fingerprint256.split(':').slice(0, 8).join(' ')).isVisible())
    assert.deepEqual(complaints, [])
  } finally {
    await started.close()
  }
})
