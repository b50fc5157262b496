// Which database a home uses, and that it does not change by accident.
import assert from 'node:assert/strict'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { isFailure } from '#base'
import { databasePlace } from '../../src/main/database-place.ts'
import { scratch } from '../storage/locations/support.ts'

const URL = 'postgres://quorate@127.0.0.1:5432/quorate'
const nothing = { database: undefined, databasePasswordFile: undefined }
const refused = (error: unknown): boolean => isFailure(error, 'main.config') && error.next !== undefined

describe('the database of a home', () => {
  it('is a file in it by default', async () => {
    await using home = await scratch()
    assert.deepEqual(await databasePlace(home.path, nothing), { file: join(home.path, 'site.sqlite') })
  })

  it('is PostgreSQL once it was told so, and stays it', async () => {
    await using home = await scratch()
    const wanted = { postgres: { url: URL, schema: 'quorate', password: undefined, ca: undefined } }
    assert.deepEqual(await databasePlace(home.path, { ...nothing, database: URL }), wanted)
    assert.deepEqual(await databasePlace(home.path, nothing), wanted)
    await assert.rejects(databasePlace(home.path, { ...nothing, database: `${URL}2` }), refused)
    await assert.rejects(databasePlace(home.path, { ...nothing, database: `${URL}?schema=other` }), refused)
    assert.equal((await stat(join(home.path, 'database.json'))).mode & 0o777, 0o600)
  })

  it('takes the password from a file and writes it down nowhere', async () => {
    await using home = await scratch()
    const file = join(home.path, 'password')
    await writeFile(file, 'hush hush\n')
    const place = await databasePlace(home.path, { database: URL, databasePasswordFile: file })
    assert.equal('postgres' in place && place.postgres.password, 'hush hush')
    assert.ok(!(await readFile(join(home.path, 'database.json'), 'utf8')).includes('hush'))
    await assert.rejects(databasePlace(home.path, { database: URL, databasePasswordFile: join(home.path, 'no') }), refused)
  })

  it('does not change from a file to an empty server', async () => {
    await using home = await scratch()
    await writeFile(join(home.path, 'site.sqlite'), '')
    await assert.rejects(databasePlace(home.path, { ...nothing, database: URL }), refused)
  })

  for (const database of [
    'mysql://h/d',
    'nonsense',
    'postgres://u:topsecret@127.0.0.1/d',
    'postgres://u@db.example.org/d',
    `${URL}?schema=A`,
    `${URL}?schema=a"b`,
    `${URL}?sslmode=disable`,
    `${URL}?ca=/no/such/file`,
  ])
    it(`refuses ${database.replace('topsecret', '...')}`, async () => {
      await using home = await scratch()
      const failure = await databasePlace(home.path, { ...nothing, database }).catch((error: unknown) => error)
      assert.ok(refused(failure))
      assert.ok(!inspect(failure).includes('topsecret'))
    })

  it('refuses a note that is damaged', async () => {
    await using home = await scratch()
    await writeFile(join(home.path, 'database.json'), '{')
    await assert.rejects(databasePlace(home.path, nothing), refused)
  })
})
