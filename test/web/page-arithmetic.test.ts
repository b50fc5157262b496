// The small calculations of the page: addresses, paths, names, rows, statistics, words.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { CODES } from '#base'
import type { Entry } from '#contract'
import { hrefOf, parseRoute, type Route } from '../../web/src/app/route.ts'
import { filtered, ordered } from '../../web/src/files/arrange.ts'
import { entropyOf, entropyOfChance, histogramOf, labelBytesOf } from '../../web/src/files/byte-statistics.ts'
import { joinPath, parentOf, waysTo, within } from '../../web/src/files/paths.ts'
import { rowsNear } from '../../web/src/files/use-window.ts'
import { createMeasures } from '../../web/src/measures/measures.ts'
import { shownMoney } from '../../web/src/measures/money.ts'
import { placeNames } from '../../web/src/pictures/place-names.ts'
import { ringLayout } from '../../web/src/pictures/ring-layout.ts'
import { parseLocation } from '../../src/storage/locations/config.ts'
import { draftTroubles, emptyDraft, specOf, withKind } from '../../web/src/setup/place-form.ts'
import { parseEvent } from '../../web/src/site/events.ts'
import { de } from '../../web/src/words/de.ts'
import { en } from '../../web/src/words/en.ts'

test('an address reads back as what it was made from, whatever the names', () => {
  const routes: Route[] = [
    { page: 'locations' },
    { page: 'files', path: '/' },
    { page: 'files', path: '/mri/Größe 100%/a?b#c', show: 'x&y=z #1?.dcm' },
    { page: 'files', path: '/日本/🧬' },
    { page: 'view', path: '/mri/Größe 100%/a?b#c.dcm' },
    { page: 'view', path: '/a/b.svs', version: 3 },
  ]
  for (const route of routes) assert.deepEqual(parseRoute(hrefOf(route)), route)
})

test('a broken address is the top folder, not an exception', () => {
  assert.deepEqual(parseRoute('#/files/%E0%A4%A'), { page: 'files', path: '/%E0%A4%A' })
  assert.deepEqual(parseRoute('#nonsense'), { page: 'files', path: '/' })
  assert.deepEqual(parseRoute('#/view/'), { page: 'files', path: '/' })
  assert.deepEqual(parseRoute('#/view/a?version=-1'), { page: 'view', path: '/a' })
})

test('paths', () => {
  assert.equal(joinPath('/', 'a'), '/a')
  assert.equal(parentOf('/a'), '/')
  assert.deepEqual(waysTo('/a/b'), ['/', '/a', '/a/b'])
  assert.ok(within('/a/b', '/a') && within('/a', '/a') && !within('/ab', '/a') && within('/a', '/'))
})

const entry = (kind: Entry['kind'], name: string, size = 0): Entry => ({
  kind,
  name,
  path: `/${name}`,
  size,
  type: '',
  modified: '2026-01-01T00:00:00Z',
  version: 1,
  redundancy: 'redundant',
})

test('a filter looks through case and accents; folders stay first, numbers count as numbers', () => {
  const entries = [entry('file', 'scan10'), entry('file', 'Müller.pdf', 5), entry('folder', 'z'), entry('file', 'scan9', 9)]
  assert.deepEqual(
    filtered(entries, ' MULLER').map(({ name }) => name),
    ['Müller.pdf'],
  )
  assert.deepEqual(
    ordered(entries, { column: 'name', descending: false }, 'de').map(({ name }) => name),
    ['z', 'Müller.pdf', 'scan9', 'scan10'],
  )
  assert.deepEqual(
    ordered(entries, { column: 'size', descending: true }, 'de').map(({ name }) => name),
    ['z', 'scan9', 'Müller.pdf', 'scan10'],
  )
})

test('only the rows near the screen are drawn, however long the list', () => {
  for (const top of [500, 0, -47, -240_000, -9_999_999]) {
    const { first, end } = rowsNear({ top, viewport: 800, count: 10_000, rowPixels: 48 })
    assert.ok(first >= 0 && end <= 10_000 && end > first && end - first < 60, `${top}: ${first}..${end}`)
  }
})

test('noise is even, text is not; the label of a fragment ends before its shares', () => {
  const noise = crypto.getRandomValues(new Uint8Array(4096))
  const text = new TextEncoder().encode('MRI of the head '.repeat(256))
  assert.equal(
    histogramOf(noise).reduce((sum, count) => sum + count, 0),
    4096,
  )
  assert.ok(Math.abs(entropyOf(noise) - entropyOfChance(4096)) < 0.03)
  assert.ok(entropyOf(text) < 4)
  const fragment = new Uint8Array(readFileSync(new URL('../data/fragment/s1-2of3-13/1.frg', import.meta.url)))
  const length = labelBytesOf(fragment)
  assert.equal(length, 8 + new DataView(fragment.buffer, fragment.byteOffset).getUint32(4) - 32)
  assert.equal(labelBytesOf(noise), 0)
})

test('places are named by what tells them apart', () => {
  assert.deepEqual(placeNames(['/srv/vault/a', '/srv/vault/b']), ['a', 'b'])
  assert.deepEqual(placeNames(['/x/data', '/y/data', 'Cloud West']), ['x/data', 'y/data', 'Cloud West'])
  assert.equal(new Set(placeNames(['/same', '/same/'])).size, 2)
})

test('a ring keeps every place inside its frame', () => {
  for (let count = 2; count <= 32; count++) {
    const { places, height } = ringLayout({ count, radius: 42, margin: 8 })
    assert.ok(places.every(({ x, y }) => x >= 8 && x <= 92 && y >= 7.9 && y <= height - 7.9))
  }
})

test('what is typed becomes the line that the site understands', () => {
  assert.equal(specOf(emptyDraft(' /srv/a ')), 'folder:/srv/a')
  const s3 = {
    ...emptyDraft(),
    kind: 's3',
    endpoint: 'https://s3.example.org/',
    bucket: 'b',
    prefix: '/p q/',
    region: 'eu',
    keyFile: '/k',
  } as const
  assert.equal(specOf(s3), 's3:https://s3.example.org/b/p%20q?region=eu&credentials=%2Fk')
  const azure = { ...s3, kind: 'azure', endpoint: 'https://clinic.blob.core.windows.net' } as const
  assert.equal(specOf(azure), 'azure:https://clinic.blob.core.windows.net/b/p%20q?credentials=%2Fk')
  assert.deepEqual(draftTroubles([{ ...azure, bucket: '' }], en), [{ bucket: en.clouds.containerMissing }])
  const google = withKind({ ...emptyDraft(), bucket: 'b' }, 'gcs')
  assert.equal(specOf(google), 'gcs:https://storage.googleapis.com/b')
  assert.equal(withKind(google, 's3').endpoint, '', 'the address of Google is of no use elsewhere')
  assert.equal(withKind(azure, 's3').endpoint, azure.endpoint, 'what was typed stays')
  const troubles = draftTroubles([emptyDraft('/a'), emptyDraft('/a'), emptyDraft(), { ...s3, endpoint: 's3.example.org', bucket: '' }], en)
  assert.deepEqual(troubles, [
    {},
    { path: en.setup.same },
    { path: en.setup.empty },
    { endpoint: en.setup.endpointWrong, bucket: en.setup.bucketMissing },
  ])
})

test('servers that keep folders are described as the site understands', () => {
  const print = `SHA256:${'aB+/'.repeat(10)}aB+`
  const sftp = {
    ...emptyDraft(),
    kind: 'sftp',
    host: ' far.example.org:2222 ',
    user: 'me',
    folder: '/the vault',
    hostKey: `${print} `,
    keyFile: '/k',
  } as const
  assert.equal(specOf(sftp), `sftp:ssh://me@far.example.org:2222/the%20vault?hostKey=${encodeURIComponent(print)}&key=%2Fk`)
  assert.deepEqual(parseLocation(specOf(sftp)), {
    kind: 'sftp',
    host: 'far.example.org',
    port: 2222,
    user: 'me',
    path: '/the vault',
    hostKey: [print],
    key: '/k',
  })
  const home = { ...sftp, folder: '~/v', keyFile: '', passwordFile: '/p' }
  assert.deepEqual(parseLocation(specOf(home)), {
    kind: 'sftp',
    host: 'far.example.org',
    port: 2222,
    user: 'me',
    path: '~/v',
    hostKey: [print],
    password: '/p',
  })
  const webdav = { ...emptyDraft(), kind: 'webdav', endpoint: 'https://dav.example.org/a/b/', keyFile: '/c' } as const
  assert.deepEqual(parseLocation(specOf(webdav)), { kind: 'webdav', endpoint: 'https://dav.example.org', path: 'a/b', credentials: '/c' })
  assert.deepEqual(draftTroubles([sftp, webdav], en), [{}, {}])
  const empty = { ...emptyDraft(), kind: 'sftp' } as const
  assert.deepEqual(
    draftTroubles(
      [empty, { ...webdav, endpoint: 'https://dav.example.org' }, webdav, webdav, { ...sftp, hostKey: 'MD5:00', host: 'a b' }],
      en,
    ),
    [
      { host: en.servers.hostWrong, user: en.servers.userMissing, folder: en.servers.folderWrong, hostKey: en.servers.hostKeyWrong },
      { endpoint: en.servers.addressWrong },
      {},
      { endpoint: en.setup.same },
      { host: en.servers.hostWrong, hostKey: en.servers.hostKeyWrong },
    ],
  )
})

test('events of another shape are passed over', () => {
  assert.deepEqual(parseEvent('message', '{"kind":"files","path":"/a"}'), { kind: 'files', path: '/a' })
  assert.deepEqual(parseEvent('files', '{"path":"/a"}'), { kind: 'files', path: '/a' })
  for (const data of ['', 'x', '{}', '{"kind":"later"}', 'null']) assert.equal(parseEvent('message', data), undefined)
})

test('sizes and times read well in both languages', () => {
  const english = createMeasures('en-GB', en)
  const german = createMeasures('de-AT', de)
  assert.equal(english.bytes(1_500_000), '1.5 MB')
  assert.equal(german.bytes(1_500_000), '1,5 MB')
  assert.equal(english.bytes(999), '999 bytes')
  assert.equal(english.bytes(123_000_000_000_000_000_000).includes('PB'), true)
  assert.equal(english.duration(0.2), 'under 1 s')
  assert.equal(english.duration(61), '2 min')
  assert.equal(english.date('nonsense'), '')
})

test('German has a title for every problem, and both languages next steps for the same', () => {
  assert.deepEqual(Object.keys(de.problems).toSorted(), Object.keys(CODES).toSorted())
  assert.ok(Object.keys(en.problemNext).length > 5 && Object.keys(en.problemNext).every((code) => code in CODES))
  assert.deepEqual(Object.keys(de.problemNext), Object.keys(en.problemNext))
})

test('little money is never shown as none', () => {
  const measures = createMeasures('en', en)
  assert.equal(shownMoney(measures, 0.004, 'EUR'), '< 0.01 EUR')
  assert.equal(shownMoney(measures, 0, 'EUR'), '0.00 EUR')
  assert.equal(shownMoney(measures, 12.345, null), '12.35')
})
