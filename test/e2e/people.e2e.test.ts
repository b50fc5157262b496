// People, in a real browser with an authenticator of its own: the first administrator, an invitation, passwords, tokens, and leaving.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { hotp } from '../../src/identity/totp.ts'
import { fromBase32 } from '../identity/support.ts'
import { createLooks } from './looks.ts'
import { healthyPage, makeStage } from './stage.ts'

const stage = makeStage()
const { folder, quorate, complaints, pictures } = stage
const looks = createLooks(pictures)
const PASSWORD = 'seven green herons wade'

let admin: Page
let colleague: Page
let invitation = ''

before(async () => {
  writeFileSync(join(folder, 'scan.dcm'), Buffer.alloc(300_000, 7))
  quorate('init', ...['north', 'east', 'south'].map((name) => `folder:${join(folder, name)}`), '-k', '2')
  quorate('put', join(folder, 'scan.dcm'), '/')
  await stage.start()
  admin = await withAuthenticator(await stage.open({}), (context) => healthyPage(stage, context))
})

after(() => stage.end())

test('a site of one person teaches what people are for', async () => {
  await toPeople(admin)
  await admin.getByRole('heading', { name: 'You work alone so far' }).waitFor()
  await looks.at(admin, 'alone')
})

test('the first administrator makes a passkey', async () => {
  await admin.getByRole('button', { name: 'Become the first administrator' }).click()
  const dialog = admin.getByRole('dialog')
  await dialog.getByRole('textbox', { name: 'Name', exact: true }).fill('Ada Lovelace')
  await dialog.getByLabel('Account name').fill('ada')
  await dialog.getByRole('button', { name: 'Go on' }).click()
  await admin.getByRole('heading', { name: 'Welcome, Ada Lovelace' }).waitFor()
  await admin.getByText('Your roles here: Administrator.').waitFor()
  await looks.at(admin, 'welcome')
  await admin.getByRole('button', { name: 'Make a passkey' }).click()
  await admin.getByRole('button', { name: 'Account of Ada Lovelace' }).waitFor()
  await toPeople(admin)
  const row = admin.getByTestId('person')
  await row.getByText('Ada Lovelace').waitFor()
  assert.equal(await row.count(), 1)
})

test('the start link opens nothing any more: it leads to signing in, by the keyboard too', async () => {
  const context = await stage.open({})
  const page = await context.newPage()
  await page.goto(stage.program.link)
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await looks.at(page, 'sign-in')
  await page.getByLabel('Account name').fill('ada')
  await page.getByLabel(/^Password/).fill(PASSWORD)
  await page.getByLabel('Code of the app').fill('000000')
  await page.keyboard.press('Enter')
  await page.getByRole('alert').getByText('The sign-in failed').waitFor()
  assert.equal(await page.getByLabel('Code of the app').inputValue(), '')
  await context.close()
})

test('a colleague is invited by a link that is shown once', async () => {
  await admin.getByRole('button', { name: 'Invite somebody' }).click()
  const dialog = admin.getByRole('dialog')
  await dialog.getByRole('textbox', { name: 'Name', exact: true }).fill('Grace Hopper')
  await dialog.getByLabel('Account name').fill('grace')
  await dialog.getByRole('checkbox', { name: 'Administrator' }).check()
  assert.ok(await dialog.getByRole('checkbox', { name: 'Auditor' }).isDisabled())
  await dialog.getByRole('checkbox', { name: 'Administrator' }).uncheck()
  await looks.at(admin, 'invite', ['desktop', 'phone-dark'])
  await dialog.getByRole('button', { name: 'Make the link' }).click()
  await dialog.getByRole('img', { name: 'QR code of the link for Grace Hopper' }).waitFor()
  invitation = await dialog.getByTestId('invitation').innerText()
  assert.match(invitation, /^http:\/\/localhost:\d+\/#invitation=[\w-]{43}$/)
  await looks.at(admin, 'invitation', ['desktop', 'phone-dark'])
  await dialog.getByRole('button', { name: 'Done' }).click()
  await admin
    .getByTestId('person')
    .filter({ hasText: 'Grace Hopper' })
    .getByText(/invited, the link works until/)
    .waitFor()
})

test('the colleague makes a passkey of their own, signs out, and signs in with it', async () => {
  colleague = await withAuthenticator(await stage.open({}), async (context) => context.newPage())
  await colleague.goto(invitation)
  await colleague.getByRole('heading', { name: 'Welcome, Grace Hopper' }).waitFor()
  assert.ok(!colleague.url().includes('invitation'))
  await colleague.getByRole('button', { name: 'Make a passkey' }).click()
  await colleague.getByRole('button', { name: 'Account of Grace Hopper' }).waitFor()
  await colleague.getByRole('button', { name: 'Account of Grace Hopper' }).click()
  await colleague.getByRole('menuitem', { name: 'Sign out' }).click()
  await colleague.getByRole('heading', { name: 'Sign in' }).waitFor()
  await colleague.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await colleague.getByRole('button', { name: 'Account of Grace Hopper' }).waitFor()
})

test('a link that was used is worth nothing', async () => {
  const context = await stage.open({})
  const page = await context.newPage()
  await page.goto(invitation)
  await page.getByRole('heading', { name: 'This link cannot be used' }).waitFor()
  await page.getByRole('button', { name: 'To the sign-in page' }).click()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await context.close()
})

test('a person sees their account and makes a token, which opens the API', async () => {
  await colleague.getByRole('button', { name: 'Account of Grace Hopper' }).click()
  await colleague.getByRole('menuitem', { name: 'My account' }).click()
  await colleague.getByRole('heading', { name: 'My account', level: 1 }).waitFor()
  await colleague.getByTestId('passkey').waitFor()
  await colleague.getByRole('button', { name: 'Make one' }).click()
  const dialog = colleague.getByRole('dialog')
  await dialog.getByLabel('What it is for').fill('nightly backup')
  await dialog.getByRole('button', { name: 'Make one' }).click()
  const secret = await dialog.getByTestId('made-secret').innerText()
  assert.match(secret, /^qt_[\w-]{43}$/)
  await dialog.getByRole('button', { name: 'Done' }).click()
  await colleague.getByTestId('secret').getByText('nightly backup').waitFor()
  await looks.at(colleague, 'account')
  const me = await fetch(new URL('/api/v1/session', stage.program.origin), { headers: { authorization: `Bearer ${secret}` } })
  assert.equal(((await me.json()) as { person: { name: string } }).person.name, 'Grace Hopper')
  await colleague.getByRole('button', { name: 'Remove: nightly backup' }).click()
  await colleague.getByText('No program acts for you.').waitFor()
  const gone = await fetch(new URL('/api/v1/session', stage.program.origin), { headers: { authorization: `Bearer ${secret}` } })
  assert.equal(gone.status, 401)
})

test('who has no passkey takes a password and an app, and gets recovery codes', async () => {
  await admin.getByRole('button', { name: 'Invite somebody' }).click()
  const dialog = admin.getByRole('dialog')
  await dialog.getByRole('textbox', { name: 'Name', exact: true }).fill('Karl Landsteiner')
  await dialog.getByLabel('Account name').fill('karl')
  await dialog.getByRole('button', { name: 'Make the link' }).click()
  const link = await dialog.getByTestId('invitation').innerText()
  await dialog.getByRole('button', { name: 'Done' }).click()
  const context = await stage.open({})
  const page = await context.newPage()
  await page.goto(link)
  await page.getByRole('button', { name: 'Take a password and an app instead' }).click()
  const secret = fromBase32(await page.getByTestId('totp-secret').innerText())
  const code = (steps: number): string => hotp(secret, Math.floor(Date.now() / 30_000) + steps)
  await page.getByLabel('New password').fill('short')
  await page.getByLabel('The code that the app shows now').fill(code(0))
  await page.getByLabel('New password').fill(PASSWORD)
  await looks.at(page, 'password', ['desktop', 'phone-dark'])
  await page.getByLabel('The code that the app shows now').fill(code(0))
  await page.getByRole('button', { name: 'Set the password' }).click()
  await page.getByTestId('recovery-codes').waitFor()
  assert.equal(await page.getByTestId('recovery-codes').getByRole('listitem').count(), 10)
  await looks.at(page, 'recovery-codes', ['desktop', 'phone-dark'])
  await page.getByRole('button', { name: 'I have kept them' }).click()
  await page.getByRole('button', { name: 'Account of Karl Landsteiner' }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.getByLabel('Account name').fill('karl')
  await page.getByLabel(/^Password/).fill(PASSWORD)
  // The code of the next half minute: the one before was spent.
  await page.getByLabel('Code of the app').fill(code(1))
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('button', { name: 'Account of Karl Landsteiner' }).waitFor()
  await context.close()
})

test('a group is made, and a colleague is put into it', async () => {
  await admin.getByLabel('Name of the group').fill('Radiology')
  await admin.getByRole('button', { name: 'Make a group' }).click()
  const group = admin.getByTestId('group')
  await group.getByLabel('Person to add to Radiology').selectOption({ label: 'Grace Hopper' })
  await group.getByRole('button', { name: 'Add' }).click()
  await group.getByRole('button', { name: 'Take Grace Hopper out of Radiology' }).waitFor()
  await looks.at(admin, 'people')
})

test('a colleague leaves: what ends is said before, and it ends at once', async () => {
  const row = admin.getByTestId('person').filter({ hasText: 'Grace Hopper' })
  await row.getByRole('button', { name: 'Has left: Grace Hopper' }).click()
  const dialog = admin.getByRole('dialog')
  await dialog.getByText('1 passkey').waitFor()
  await dialog.getByText('membership in 1 group').waitFor()
  await looks.at(admin, 'leaves', ['desktop', 'phone-dark'])
  await dialog.getByRole('button', { name: 'End everything for Grace Hopper' }).click()
  await dialog.waitFor({ state: 'detached' })
  await admin.getByTestId('person').filter({ hasText: 'Grace Hopper' }).getByText('has left').waitFor()
  await colleague.reload()
  await colleague.getByRole('heading', { name: 'Sign in' }).waitFor()
  await colleague.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await colleague.getByRole('alert').getByText('The sign-in failed').waitFor()
})

test('the last administrator cannot leave', async () => {
  await admin.getByTestId('person').filter({ hasText: 'Ada Lovelace' }).getByRole('button', { name: 'Has left: Ada Lovelace' }).click()
  const dialog = admin.getByRole('dialog')
  await dialog.getByRole('button', { name: 'End everything for Ada Lovelace' }).click()
  await dialog.getByRole('alert').getByText('No administrator would be left').waitFor()
  await dialog.getByRole('button', { name: 'Cancel' }).click()
})

test('the same in German', async () => {
  await admin.getByRole('button', { name: 'Language and appearance' }).click()
  await admin.getByRole('menuitemradio', { name: 'Deutsch' }).click()
  await admin.getByRole('heading', { name: 'Menschen', level: 1 }).waitFor()
  await looks.at(admin, 'menschen', ['desktop', 'phone'])
  await admin.evaluate(() => {
    location.hash = '#/account'
  })
  await admin.getByRole('heading', { name: 'Mein Konto', level: 1 }).waitFor()
  await looks.at(admin, 'mein-konto', ['desktop', 'phone'])
})

test('nothing broke and no policy was violated on the way', () => {
  assert.deepEqual(complaints, [])
})

async function toPeople(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Account/ }).click()
  await page.getByRole('menuitem', { name: 'People' }).click()
  await page.getByRole('heading', { name: 'People', level: 1 }).waitFor()
}

/** A page with an authenticator that makes passkeys and verifies its user without asking anybody. */
async function withAuthenticator(context: BrowserContext, open: (context: BrowserContext) => Promise<Page>): Promise<Page> {
  const page = await open(context)
  const debug = await context.newCDPSession(page)
  await debug.send('WebAuthn.enable')
  await debug.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  return page
}
