// With what a WebDAV server is entered: forms that people have, and none that would end up in a header as it should not.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import * as fc from 'fast-check'
import { fromUtf8 } from '#base'
import { parseWebdavFile, readWebdavFile, webdavFromEnvironment } from '../../../src/storage/locations/webdav/credentials.ts'
import { refuses, scratch } from './support.ts'

const shown = (text: string, profile?: string): string | undefined => {
  const credentials = parseWebdavFile(text, profile)
  return credentials === undefined ? undefined : fromUtf8(credentials.authorization.reveal())
}

describe('credentials of WebDAV', () => {
  // RFC 7617, section 2 and 2.1.
  const ALADDIN = 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=='

  it('come in the forms that people have', () => {
    for (const text of [
      'user = "Aladdin"\npassword = "open sesame"',
      '{"User":"Aladdin","password":"open sesame"}',
      'username=Aladdin\npassword=open sesame\n',
    ])
      assert.equal(shown(text), ALADDIN)
    assert.equal(shown('[default]\nuser = "test"\npassword = "123£"'), 'Basic dGVzdDoxMjPCow==')
    assert.equal(shown('[other]\nuser = "Aladdin"\npassword = "open sesame"', 'other'), ALADDIN)
    assert.equal(shown('token = "abc.def"'), 'Bearer abc.def')
  })

  it('are not found where there are none, nor where they would break the header', () => {
    for (const text of [
      '',
      '{',
      'user = "a"',
      'password = "a"',
      'user = "a:b"\npassword = "c"',
      '{"user":"a\\nb","password":"c"}',
      '{"token":"a b"}',
      '{"token":"a\\r\\nX: y"}',
    ])
      assert.equal(shown(text), undefined, text)
    fc.assert(fc.property(fc.string({ maxLength: 300 }), (text) => void parseWebdavFile(text)))
  })

  it('do not appear in failures or when printed', async () => {
    await using folder = await scratch()
    const path = join(folder.path, 'dav')
    await writeFile(path, 'password = "TOPSECRET"')
    const failure = await refuses(readWebdavFile(path, { label: 'far' }), 'location.denied', 'far')
    assert.ok(!inspect(failure).includes('TOPSECRET'))
    await refuses(readWebdavFile(join(folder.path, 'absent'), { label: 'far' }), 'location.denied', 'far')
    await refuses(async () => webdavFromEnvironment({ QUORATE_WEBDAV_USER: 'a' }, 'far'), 'location.denied', 'far')
    const credentials = webdavFromEnvironment({ QUORATE_WEBDAV_USER: 'a', QUORATE_WEBDAV_PASSWORD: 'TOPSECRET' }, 'far')
    assert.ok(
      !inspect(credentials, { showHidden: true, depth: 9 }).includes('TOPSECRET') && !JSON.stringify(credentials).includes('TOPSECRET'),
    )
  })
})
