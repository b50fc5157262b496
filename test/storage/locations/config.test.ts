// How locations are described, and where their keys come from.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import * as fc from 'fast-check'
import { Failure, fromUtf8 } from '#base'
import { formatLocation, labelOf, openLocation, parseLocation } from '../../../src/storage/locations/from-config.ts'
import { azureFromEnvironment, parseAzureFile, readAzureFile } from '../../../src/storage/locations/azure/credentials.ts'
import { keyFromEnvironment, parseKeyFile, readKeyFile } from '../../../src/storage/locations/key-file.ts'
import { refuses, scratch } from './support.ts'

const from = '/base'

describe('the description of a location', () => {
  it('is a line', () => {
    assert.deepEqual(parseLocation('folder:/mnt/disk', { from }), { kind: 'folder', path: '/mnt/disk' })
    assert.deepEqual(parseLocation('folder:shelf/1', { from }), { kind: 'folder', path: '/base/shelf/1' })
    assert.deepEqual(parseLocation('s3:https://s3.example.org:9000/bucket', { from }), {
      kind: 's3',
      endpoint: 'https://s3.example.org:9000',
      bucket: 'bucket',
      prefix: '',
      region: 'us-east-1',
      style: 'path',
    })
    assert.deepEqual(
      parseLocation(
        's3:https://h/b-1/p/q?region=eu-1&style=virtual&lock=compliance&days=30&credentials=keys.toml&profile=x&ca=ca.pem&partMiB=16',
        { from },
      ),
      {
        kind: 's3',
        endpoint: 'https://h',
        bucket: 'b-1',
        prefix: 'p/q',
        region: 'eu-1',
        style: 'virtual',
        lock: { mode: 'compliance', days: 30 },
        credentials: '/base/keys.toml',
        profile: 'x',
        ca: '/base/ca.pem',
        partMiB: 16,
      },
    )
    assert.equal((parseLocation('s3:https://s3.eu-central-1.amazonaws.com/bucket') as { style: string }).style, 'virtual')
    assert.equal((parseLocation('s3:https://s3.eu-central-1.amazonaws.com/with.dots') as { style: string }).style, 'path')
  })

  it('is a line for Azure', () => {
    assert.deepEqual(parseLocation('azure:https://clinic.blob.core.windows.net/fragments', { from }), {
      kind: 'azure',
      endpoint: 'https://clinic.blob.core.windows.net',
      account: 'clinic',
      style: 'host',
      container: 'fragments',
      prefix: '',
    })
    assert.deepEqual(
      parseLocation(
        'azure:https://blobs.example.org/c-1/p/q?account=clinic&lock=compliance&days=30&credentials=keys.toml&profile=x&ca=ca.pem&partMiB=8',
        { from },
      ),
      {
        kind: 'azure',
        endpoint: 'https://blobs.example.org',
        account: 'clinic',
        style: 'host',
        container: 'c-1',
        prefix: 'p/q',
        lock: { mode: 'compliance', days: 30 },
        credentials: '/base/keys.toml',
        profile: 'x',
        ca: '/base/ca.pem',
        partMiB: 8,
      },
    )
    const emulator = parseLocation('azure:http://127.0.0.1:10000/devstoreaccount1/abc')
    assert.deepEqual([emulator.kind, labelOf(emulator)], ['azure', 'abc at devstoreaccount1 of 127.0.0.1:10000'])
  })

  it('of an SFTP server pins its key', async () => {
    const print = `SHA256:${'Ab+/'.repeat(10)}Abc`
    assert.deepEqual(
      parseLocation(`sftp:ssh://dr%20who@far.example.org:2222/srv/the%20vault/?key=k&passphrase=p&hostKey=${print}`, { from }),
      {
        kind: 'sftp',
        host: 'far.example.org',
        port: 2222,
        user: 'dr who',
        path: '/srv/the vault',
        key: '/base/k',
        passphrase: '/base/p',
        hostKey: [print],
      },
    )
    assert.deepEqual(parseLocation('sftp:ssh://u@[::1]/~/vault?password=p&knownHosts=h', { from }), {
      kind: 'sftp',
      host: '[::1]',
      port: 22,
      user: 'u',
      path: '~/vault',
      password: '/base/p',
      knownHosts: '/base/h',
    })
    for (const line of [
      'sftp:ssh://u@h/p',
      'sftp:ssh://u@h/p?key=k',
      `sftp:ssh://u@h/p?hostKey=${print}&knownHosts=h`,
      'sftp:ssh://u@h/p?hostKey=MD5:00',
      `sftp:ssh://u:topsecret@h/p?hostKey=${print}`,
      `sftp:ssh://h/p?hostKey=${print}`,
      `sftp:ssh://u@h/a/%2e%2e%2fb?hostKey=${print}`,
      `sftp:ssh://u@h:0/p?hostKey=${print}`,
      `sftp:ssh://u@h/p%00?hostKey=${print}`,
      `sftp:ssh://u@h/p?hostKey=${print}&password=a&password=b`,
      `sftp:ssh://u@h/p?hostKey=${print}&secret=topsecret`,
      `sftp:ssh://u@h%20x/p?hostKey=${print}`,
      `sftp:https://u@h/p?hostKey=${print}`,
    ]) {
      const failure = await refuses(async () => parseLocation(line), 'location.config')
      assert.ok(!inspect(failure).includes('topsecret') && (failure.next ?? '').length > 10, line)
    }
  })

  it('is a line for Google Cloud Storage', () => {
    const plain = { kind: 'gcs', endpoint: 'https://storage.googleapis.com', bucket: 'clinic-fragments', prefix: '' }
    assert.deepEqual(parseLocation('gcs:https://storage.googleapis.com/clinic-fragments', { from }), plain)
    const line = 'gcs:https://storage.googleapis.com/clinic-fragments/p/q?lock=governance&days=30&credentials=key.json&ca=ca.pem&partMiB=16'
    assert.deepEqual(parseLocation(line, { from }), {
      ...plain,
      prefix: 'p/q',
      lock: { mode: 'governance', days: 30 },
      credentials: '/base/key.json',
      ca: '/base/ca.pem',
      partMiB: 16,
    })
  })

  it('of a WebDAV server', async () => {
    assert.deepEqual(
      parseLocation('webdav:https://dav.example.org/remote.php/dav/files/me/the%20vault/?credentials=c&ca=a&profile=x', { from }),
      {
        kind: 'webdav',
        endpoint: 'https://dav.example.org',
        path: 'remote.php/dav/files/me/the vault',
        credentials: '/base/c',
        profile: 'x',
        ca: '/base/a',
      },
    )
    for (const line of [
      'webdav:https://u:topsecret@h/p',
      'webdav:https://u@h/p',
      'webdav:http://far.example.org/p',
      'webdav:https://h/a//b',
      'webdav:https://h/a/%2e%2e%2fb',
      'webdav:https://h/p%00',
      'webdav:https://h/p?password=topsecret',
      'webdav:https://h/p?insecure=maybe',
      'webdav:ssh://h/p',
    ]) {
      const failure = await refuses(async () => parseLocation(line), 'location.config')
      assert.ok(!inspect(failure).includes('topsecret') && (failure.next ?? '').length > 10, line)
    }
  })

  it('is a record', () => {
    assert.deepEqual(parseLocation({ kind: 'folder', path: '/x' }), { kind: 'folder', path: '/x' })
    const record = { kind: 's3', endpoint: 'http://127.0.0.1:9000', bucket: 'bucket' }
    assert.deepEqual(parseLocation(record), { ...record, prefix: '', region: 'us-east-1', style: 'path' })
  })

  it('survives JSON and its own line', () => {
    const text = fc.constantFrom(
      'folder:/a b/ü',
      'folder:/',
      's3:https://h/bucket',
      's3:http://localhost:1/b.c/d?lock=governance&days=1',
      's3:http://intern/bucket?insecure=true&credentials=/k y',
      'azure:https://clinic.blob.core.windows.net/abc/d?lock=governance&days=1',
      'gcs:https://storage.googleapis.com/abc',
      'gcs:http://127.0.0.1:1/abc/d?lock=governance&days=1&credentials=/k y',
      'azure:http://127.0.0.1:1/devstoreaccount1/abc?credentials=/k y',
      'azure:http://intern.example/acc/abc?style=path&insecure=true&partMiB=1',
      `sftp:ssh://u%40x@h:23/a%20b/~c?key=/k&hostKey=SHA256:${'a+/'.repeat(14)}b,SHA256:${'cd'.repeat(21)}e`,
      'sftp:ssh://ü@[fe80::1]/~/x?password=/p&knownHosts=/h',
      'webdav:https://h:1/a%20b/ü%25?credentials=/c&profile=p&ca=/a',
      'webdav:http://localhost',
    )
    fc.assert(
      fc.property(text, (line) => {
        const config = parseLocation(line, { from })
        assert.deepEqual(parseLocation(JSON.parse(JSON.stringify(config)) as Record<string, unknown>, { from }), config)
        assert.deepEqual(parseLocation(formatLocation(config), { from }), config)
      }),
    )
  })

  const WRONG = [
    '',
    'folder:',
    'folder:/a\0b',
    'ftp://x',
    '/mnt/disk',
    's3:',
    's3:bucket',
    's3:ftp://h/bucket',
    's3:https://h',
    's3:https://h/',
    's3:https://h/b',
    's3:https://h/bucket/../x/.hidden',
    's3:https://h/bucket/.hidden',
    's3:https://h/bucket//x',
    's3:https://h/bucket/%2e%2e%2fx',
    's3:https://h/bucket/%zz',
    's3:https://h/bucket#x',
    's3:https://h/bucket?region=',
    's3:https://h/bucket?region=a&region=b',
    's3:https://h/bucket?lock=governance',
    's3:https://h/bucket?days=3',
    's3:https://h/bucket?lock=maybe&days=3',
    's3:https://h/bucket?lock=governance&days=0',
    's3:https://h/bucket?lock=governance&days=1.5',
    's3:https://h/bucket?style=other',
    's3:https://h/Bucket_1?style=virtual',
    's3:https://h/bucket?partMiB=1',
    's3:https://h/bucket?insecure=maybe',
    's3:https://h/bucket?colour=red',
    's3:http://h.example.org/bucket',
    's3:http://127.0.0.1.example.org/bucket',
    'azure:https://clinic.blob.core.windows.net',
    'azure:https://clinic.blob.core.windows.net/A',
    'azure:https://clinic.blob.core.windows.net/a--b',
    'azure:https://clinic.blob.core.windows.net/abc/.hidden',
    'azure:https://No_Account.example.org/abc',
    'azure:https://clinic.blob.core.windows.net/abc?style=virtual',
    'azure:https://clinic.blob.core.windows.net/abc?lock=governance',
    'azure:https://clinic.blob.core.windows.net/abc?partMiB=0',
    'azure:http://clinic.example.org/abc',
    'azure:http://127.0.0.1:10000/devstoreaccount1',
    'gcs:https://storage.googleapis.com',
    'gcs:https://storage.googleapis.com/Bucket',
    'gcs:https://storage.googleapis.com/abc/.hidden',
    'gcs:https://storage.googleapis.com/abc?region=eu',
    'gcs:https://storage.googleapis.com/abc?days=1',
    'gcs:http://storage.example.org/abc',
  ]
  for (const line of WRONG) {
    it(`refuses ${JSON.stringify(line)}`, async () => {
      const failure = await refuses(async () => parseLocation(line), 'location.config')
      assert.ok((failure.next ?? '').length > 10)
    })
  }

  it('refuses records with more than is known', async () => {
    for (const extra of [
      { secretAccessKey: 'topsecret' },
      { accessKeyId: 'topsecret' },
      { region: 5 },
      { bucket: '' },
      { endpoint: 'https://a:topsecret@h' },
    ]) {
      const failure = await refuses(
        async () => parseLocation({ kind: 's3', endpoint: 'https://h', bucket: 'bucket', ...extra }),
        'location.config',
      )
      assert.ok(!inspect(failure).includes('topsecret'))
    }
    await refuses(async () => parseLocation({ kind: 'tape' }), 'location.config')
    await refuses(async () => parseLocation({}), 'location.config')
  })

  it('never takes keys in the line, and does not repeat them', async () => {
    for (const line of [
      's3:https://AKIA:topsecret@h/bucket',
      's3:https://topsecret@h/bucket',
      's3:https://h/bucket?secret_access_key=topsecret',
      's3:https://h/bucket?access_key=topsecret',
      's3:https://h/bucket?AWSAccessKeyId=topsecret',
      's3:https://h/bucket?sessionToken=topsecret',
      's3:https://h/bucket?X-Amz-Signature=topsecret',
      'azure:https://topsecret@clinic.blob.core.windows.net/abc',
      'azure:https://clinic.blob.core.windows.net/abc?sv=2023-11-03&sig=topsecret',
      'azure:https://clinic.blob.core.windows.net/abc?AccountKey=topsecret',
      'gcs:https://storage.googleapis.com/abc?access_token=topsecret',
    ]) {
      const failure = await refuses(async () => parseLocation(line), 'location.config')
      assert.ok(!inspect(failure).includes('topsecret'), line)
      assert.match(failure.next ?? '', /credentials=FILE/)
    }
  })

  it('answers any text with a record or location.config, and never repeats long words of it', () => {
    const word = fc.string({ minLength: 12, maxLength: 30, unit: fc.constantFrom(...'abcdefgh0123456789'.split('')) })
    const any = fc.oneof(
      fc.string({ maxLength: 200 }),
      fc.webUrl({ withFragments: true, withQueryParameters: true }).map((url) => `s3:${url}`),
      fc.tuple(word, word, word).map(([a, b, c]) => `s3:https://${a}:${b}@host/bucket?x=${c}`),
      fc.tuple(word, word).map(([a, b]) => `s3:https://host/bucket?${a}=${b}`),
      fc.tuple(word, word).map(([a, b]) => `azure:https://account.host/abc?${a}=${b}`),
      fc.tuple(word, word, word).map(([a, b, c]) => `sftp:ssh://${a}:${b}@host/x?key=/${c}`),
    )
    fc.assert(
      fc.property(any, (line) => {
        try {
          assert.ok(['folder', 's3', 'azure', 'gcs', 'sftp', 'webdav'].includes(parseLocation(line, { from }).kind))
        } catch (error) {
          assert.ok(error instanceof Failure && error.code === 'location.config', String(error))
          for (const part of line.match(/[a-h0-9]{12,}/g) ?? []) assert.ok(!inspect(error).includes(part))
        }
      }),
      { numRuns: 500 },
    )
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('kind', 'path', 'endpoint', 'bucket', 'prefix', 'lock', 'other'), fc.anything()),
        (record) => {
          try {
            parseLocation(record, { from })
          } catch (error) {
            assert.ok(error instanceof Failure && error.code === 'location.config', String(error))
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('access keys', () => {
  const secretOf = (text: string, profile?: string): string[] => {
    const credentials = parseKeyFile(text, profile)
    if (credentials === undefined) return []
    const token = credentials.sessionToken === undefined ? [] : [fromUtf8(credentials.sessionToken.reveal())]
    return [credentials.accessKeyId, fromUtf8(credentials.secretAccessKey.reveal()), ...token]
  }

  it('come in the forms that people have', () => {
    assert.deepEqual(secretOf('access_key_id = "A"\nsecret_access_key = "S"\n'), ['A', 'S'])
    assert.deepEqual(secretOf('[default]\naccess_key_id = "A"\nsecret_access_key = "S"\nsession_token = "T"'), ['A', 'S', 'T'])
    assert.deepEqual(secretOf('\uFEFF{"AccessKeyId":"A","SecretAccessKey":"S/+=","SessionToken":"T"}'), ['A', 'S/+=', 'T'])
    assert.deepEqual(secretOf('{"accessKeyId":"A","secretAccessKey":"S"}'), ['A', 'S'])
    assert.deepEqual(
      secretOf(
        '# mine\n[default]\naws_access_key_id = A\r\naws_secret_access_key=S/x+y=\r\n\n[other]\naws_access_key_id=B\naws_secret_access_key = R\n',
      ),
      ['A', 'S/x+y='],
    )
    assert.deepEqual(
      secretOf(
        '[default]\naws_access_key_id=A\naws_secret_access_key=S\n[profile other]\naws_access_key_id=B\naws_secret_access_key = R\n',
        'other',
      ),
      ['B', 'R'],
    )
  })

  it('are not found where there are none', () => {
    for (const text of [
      '',
      '{',
      '[]',
      '{"accessKeyId":"A"}',
      '[default]\naws_access_key_id=A',
      '{"accessKeyId":"A\\nB","secretAccessKey":"S"}',
    ])
      assert.deepEqual(secretOf(text), [])
    assert.deepEqual(secretOf('access_key_id = "A"\nsecret_access_key = "S"', 'other'), [])
  })

  it('never make the reader stumble', () => {
    fc.assert(fc.property(fc.string({ maxLength: 300 }), (text) => void parseKeyFile(text)))
  })

  it('do not appear in failures or when printed', async () => {
    await using folder = await scratch()
    const path = join(folder.path, 'keys')
    await writeFile(path, 'aws_access_key_id=AKIDTOPSECRET\nnothing=else TOPSECRET')
    const failure = await refuses(readKeyFile(path, { label: 'cloud' }), 'location.denied', 'cloud')
    assert.ok(!inspect(failure).includes('TOPSECRET'))
    await refuses(readKeyFile(join(folder.path, 'absent'), { label: 'cloud' }), 'location.denied', 'cloud')
    await refuses(async () => keyFromEnvironment({ AWS_ACCESS_KEY_ID: 'A' }, 'cloud'), 'location.denied', 'cloud')
    const credentials = keyFromEnvironment(
      { AWS_ACCESS_KEY_ID: 'A', AWS_SECRET_ACCESS_KEY: 'TOPSECRET', AWS_SESSION_TOKEN: 'TOPSECRET' },
      'cloud',
    )
    assert.ok(!inspect(credentials, { showHidden: true, depth: 9 }).includes('TOPSECRET'))
    assert.ok(!JSON.stringify(credentials).includes('TOPSECRET'))
  })
})

describe('keys of Azure', () => {
  const KEY = Buffer.from('TOPSECRETTOPSECRETTOPSECRET').toString('base64')
  const shown = (text: string, profile?: string): string => {
    const credentials = parseAzureFile(text, profile)
    if (credentials === undefined) return 'none'
    if (credentials.kind === 'sas') return `sas ${fromUtf8(credentials.signature.reveal())}`
    return `key ${credentials.account ?? '-'} ${Buffer.from(credentials.key.reveal()).toString('base64')}`
  }

  it('come in the forms that people have', () => {
    const connection = `DefaultEndpointsProtocol=https;AccountName=clinic;AccountKey=${KEY};EndpointSuffix=core.windows.net`
    assert.equal(shown(connection), `key clinic ${KEY}`)
    assert.equal(shown(`\n${connection}\n`), `key clinic ${KEY}`)
    assert.equal(shown(`connection_string = "${connection}"`), `key clinic ${KEY}`)
    assert.equal(shown(JSON.stringify({ connectionString: connection })), `key clinic ${KEY}`)
    assert.equal(shown(`account = "clinic"\nkey = "${KEY}"`), `key clinic ${KEY}`)
    assert.equal(shown(`key = "${KEY}"`), `key - ${KEY}`)
    assert.equal(shown(`[a]\nkey = "${KEY}"\n[b]\nsas_token = "sv=1&sig=S%2B"`, 'b'), 'sas sv=1&sig=S%2B')
    assert.equal(shown('?sv=2023-11-03&sp=r&sig=S%3D'), 'sas sv=2023-11-03&sp=r&sig=S%3D')
    assert.equal(shown('BlobEndpoint=https://x/;SharedAccessSignature=sv=1&sig=S'), 'sas sv=1&sig=S')
  })

  it('are not found where there are none', () => {
    for (const text of [
      '',
      '{',
      '[]',
      'account = "clinic"',
      'key = "not base64!"',
      'sas_token = "sv=1"',
      'AccountName=a;AccountKey=',
      'a=b',
    ])
      assert.equal(shown(text), 'none', text)
  })

  it('never make the reader stumble', () => {
    fc.assert(fc.property(fc.string({ maxLength: 300 }), (text) => void parseAzureFile(text)))
  })

  it('come from the environment, and from a file, and are not told', async () => {
    assert.equal(azureFromEnvironment({ AZURE_STORAGE_ACCOUNT: 'clinic', AZURE_STORAGE_KEY: KEY }, 'cloud').kind, 'key')
    assert.equal(azureFromEnvironment({ AZURE_STORAGE_SAS_TOKEN: '?sv=1&sig=S' }, 'cloud').kind, 'sas')
    await refuses(async () => azureFromEnvironment({ AZURE_STORAGE_ACCOUNT: 'clinic' }, 'cloud'), 'location.denied', 'cloud')
    await using folder = await scratch()
    const path = join(folder.path, 'keys')
    await writeFile(path, 'nothing of use TOPSECRET')
    const failure = await refuses(readAzureFile(path, { label: 'cloud' }), 'location.denied', 'cloud')
    assert.ok(!inspect(failure).includes('TOPSECRET'))
    await refuses(readAzureFile(join(folder.path, 'absent'), { label: 'cloud' }), 'location.denied', 'cloud')
    const printed = inspect(azureFromEnvironment({ AZURE_STORAGE_KEY: KEY }, 'cloud'), { showHidden: true, depth: 9 })
    assert.ok(!printed.includes('TOPSECRET') && !printed.includes(KEY))
  })
})

describe('opening a described location', () => {
  it('gives a folder', async () => {
    await using folder = await scratch()
    const location = await openLocation(parseLocation(`folder:${folder.path}`), { label: 'shelf' })
    assert.equal(await location.putIfAbsent('a', new Uint8Array(3)), 'created')
    assert.equal(location.label, 'shelf')
    assert.equal((await openLocation(parseLocation(`folder:${folder.path}`))).label, folder.path)
  })

  it('gives a container', async () => {
    const location = await openLocation(parseLocation('azure:https://clinic.blob.core.windows.net/abc'))
    assert.deepEqual([location.kind, location.label], ['azure', 'abc at clinic.blob.core.windows.net'])
    await refuses(location.head('a'), 'location.denied', location.label)
    await location.close()
  })

  it('gives a bucket, and names it without keys', async () => {
    const location = await openLocation(parseLocation('s3:http://127.0.0.1:1/bucket/p'))
    assert.deepEqual([location.kind, location.label], ['s3', 'bucket at 127.0.0.1:1'])
    await refuses(location.head('a'), 'location.denied', location.label)
    await location.close()
    await refuses(openLocation(parseLocation('s3:https://127.0.0.1:1/bucket?ca=/nowhere')), 'location.config', 'bucket at 127.0.0.1:1')
  })
})
