// S3 over TLS: only certificates that are trusted, only authorities that were named.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'
import { openLocation, parseLocation } from '../../../src/storage/locations/from-config.ts'
import { fakeS3 } from './fake-s3.ts'
import { pattern, readAll, refuses, scratch, writeAll } from './support.ts'

it('S3 over TLS trusts the authority that was named, and nobody else', async (t) => {
  await using folder = await scratch()
  const [key, cert] = [join(folder.path, 'key.pem'), join(folder.path, 'cert.pem')]
  try {
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-keyout',
        key,
        '-out',
        cert,
        '-days',
        '2',
        ...subject,
      ],
      {
        stdio: 'ignore',
      },
    )
  } catch {
    return t.skip('not found: openssl (Debian: openssl)')
  }
  await using fake = await fakeS3({ tls: { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') } })
  await writeFile(join(folder.path, 'keys.json'), JSON.stringify({ accessKeyId: 'A', secretAccessKey: 'S' }))
  const line = `s3:${fake.endpoint}/bucket?credentials=${join(folder.path, 'keys.json')}`

  const distrusted = await openLocation(parseLocation(line), { label: 'cloud' })
  const failure = await refuses(distrusted.head('a'), 'location.unreachable', 'cloud')
  assert.match(failure.message, /certificate/)
  assert.match(failure.next ?? '', /`ca`/)
  await distrusted.close()

  const trusted = await openLocation(parseLocation(`${line}&ca=${cert}`), { label: 'cloud' })
  await writeAll(trusted, 'a', pattern(100_000))
  await writeAll(trusted, 'b', pattern(9 * 2 ** 20))
  assert.deepEqual(await readAll(trusted, 'a'), pattern(100_000))
  assert.ok(Buffer.from(pattern(9 * 2 ** 20)).equals(await readAll(trusted, 'b')))
  const bodies = fake.requests.filter((request) => request.method === 'PUT')
  assert.ok(bodies.every((request) => request.headers['x-amz-content-sha256'] === 'UNSIGNED-PAYLOAD'))
  await trusted.close()
})
