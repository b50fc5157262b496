// The SFTP driver keeps the contract on OpenSSH, also where that says no, stops, or is killed.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { copyFile, mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import OtherClient from 'ssh2-sftp-client'
import { startServer } from '../../../scripts/servers.ts'
import { parseLocation } from '../../../src/storage/locations/config.ts'
import { fingerprintOf } from '../../../src/storage/locations/sftp/host-keys.ts'
import { locationConformance } from './conformance.ts'
import { freeze, processesBelow, thaw, signalled } from './processes.ts'
import { endpointOf } from './s3-servers.ts'
import { type SftpConfig, sftpConfigOn, sftpLocation } from './sftp-servers.ts'
import { listAll, pattern, readAll, refuses, scratch, writeAll } from './support.ts'

const sshd = endpointOf('sshd')
if (sshd !== undefined) {
  locationConformance('SFTP of OpenSSH', async () => {
    const location = sftpLocation(await sftpConfigOn(sshd))
    return { location, close: () => location.close() }
  })
}

if (sshd !== undefined) {
  describe('SFTP of OpenSSH', () => {
    const keys = dirname((parseLocation(sshd) as SftpConfig).key!)
    const printOf = async (kind: string): Promise<string> =>
      fingerprintOf(Buffer.from((await readFile(join(keys, `host_${kind}.pub`), 'utf8')).split(' ')[1]!, 'base64'))

    it('trusts the key that was pinned, of whatever kind, and no other', async () => {
      const { knownHosts: _, ...config } = await sftpConfigOn(sshd)
      for (const kind of ['ed25519', 'ecdsa', 'rsa']) {
        const location = sftpLocation({ ...config, hostKey: [await printOf(kind)] })
        assert.equal(await location.head('a'), undefined)
        await location.close()
      }
      const wrong = sftpLocation({ ...config, hostKey: [(await printOf('rsa')).replace(/.$/, (last) => (last === 'A' ? 'E' : 'A'))] })
      await refuses(wrong.head('a'), 'location.untrusted', 'far')
      await wrong.close()
      const strange = sftpLocation({ ...config, knownHosts: join(keys, 'client.pub') })
      await refuses(strange.head('a'), 'location.untrusted', 'far')
      await strange.close()
    })

    it('is entered with a key, sealed or not, and refuses others without repeating anything', async () => {
      await using folder = await scratch()
      const config = await sftpConfigOn(sshd)
      const passphrase = join(folder.path, 'passphrase')
      await writeFile(passphrase, 'correct horse\n')
      const sealed = sftpLocation({ ...config, key: join(keys, 'sealed'), passphrase })
      assert.equal(await sealed.putIfAbsent('a', pattern(10)), 'created')
      await sealed.close()
      await writeFile(passphrase, 'TOPSECRET\n')
      const { key: _, ...without } = config
      for (const each of [
        { ...config, key: join(keys, 'sealed'), passphrase },
        { ...config, key: join(keys, 'sealed') },
        { ...config, key: join(keys, 'client.pub') },
        { ...config, key: passphrase },
        { ...config, key: join(keys, 'absent') },
        { ...config, key: join(keys, 'host_rsa') },
        { ...config, user: 'nobody-here' },
        { ...without, password: passphrase },
        without,
      ]) {
        const location = sftpLocation(each)
        const failure = await refuses(location.head('a'), 'location.denied', 'far')
        assert.ok(!inspect(failure, { depth: 20, showHidden: true }).includes('TOPSECRET'))
        await location.close()
      }
    })

    it('tells a missing folder from a missing file, and never makes it', async () => {
      const config = await sftpConfigOn(sshd)
      const location = sftpLocation({ ...config, path: `${config.path}/absent` })
      for (const call of [
        () => location.head('a'),
        () => location.open('a'),
        () => location.putIfAbsent('a', pattern(10)),
        () => location.putIfAbsent('a/b', pattern(10)),
        () => location.list({ prefix: '' }),
        () => location.discard('a'),
      ])
        await refuses(call, 'location.unreachable', 'far')
      await location.close()
    })

    it('does not follow links, and passes over what is not ours', async () => {
      const config = await sftpConfigOn(sshd)
      const location = sftpLocation(config)
      await writeFile(join(config.path, 'secret'), 'x')
      await symlink(join(config.path, 'secret'), join(config.path, 'linked'))
      await mkdir(join(config.path, 'folder'))
      await writeFile(join(config.path, 'Not Ours'), 'x')
      await refuses(location.open('linked'), 'location.not-ours', 'far')
      await refuses(location.head('linked'), 'location.not-ours', 'far')
      await refuses(location.open('folder'), 'location.not-ours', 'far')
      await refuses(location.putIfAbsent('secret/deeper', pattern(1)), 'location.not-ours', 'far')
      assert.deepEqual(await listAll(location, ''), ['secret'])
      await location.close()
    })

    it('lists a large folder in pages', async () => {
      const config = await sftpConfigOn(sshd)
      const location = sftpLocation(config)
      await mkdir(join(config.path, 'aa'))
      const names = Array.from({ length: 5000 }, (_, index) => `aa/${String(index).padStart(6, '0')}`)
      for (const name of names) writeFileSync(join(config.path, name), '')
      assert.deepEqual(await listAll(location, ''), names)
      await location.close()
    })

    it('says that it is full, and keeps nothing half', { skip: noMount() ?? false }, async () => {
      const config = await sftpConfigOn(sshd)
      assert.equal(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'none', config.path]).status, 0)
      const location = sftpLocation(config)
      try {
        await refuses(writeAll(location, 'a/b', pattern(6_000_000)), 'location.full', 'far')
        assert.deepEqual(await readdir(join(config.path, 'a')), [])
        await writeAll(location, 'a/c', pattern(1_000_000))
      } finally {
        await location.close()
        spawnSync('umount', ['-l', config.path])
      }
    })

    it('reads what another client wrote, and is read by it', async () => {
      const config = await sftpConfigOn(sshd)
      const location = sftpLocation(config)
      const other = new OtherClient()
      await other.connect({ host: config.host, port: config.port, username: config.user, privateKey: await readFile(config.key!) })
      await other.put(Buffer.from(pattern(300_000)), `${config.path}/theirs`)
      assert.deepEqual(await readAll(location, 'theirs'), pattern(300_000))
      await writeAll(location, 'ours', pattern(700_000, 2))
      assert.ok(Buffer.from(pattern(700_000, 2)).equals((await other.get(`${config.path}/ours`)) as Buffer))
      await other.end()
      await location.close()
    })
  })

  describe('an SSH server', () => {
    it('that is stopped stalls; that kills our session in mid-upload is taken up again, unless the key was revoked; that is killed cannot be reached', async () => {
      const own = await startServer('sshd')
      assert.ok(own !== undefined)
      try {
        const config = await sftpConfigOn(own.endpoint)
        // Ours stay when the server that is killed takes its folder with it.
        await using mine = await scratch()
        const files: Record<string, string> = {}
        for (const field of ['key', 'knownHosts'] as const) {
          const path = config[field]
          if (path === undefined) continue
          files[field] = join(mine.path, field)
          await copyFile(path, files[field])
        }
        const location = sftpLocation({ ...config, ...files }, { stallMs: 1500, connectMs: 2000, backoffMs: 1 })
        assert.equal(await location.putIfAbsent('a', pattern(10)), 'created')
        const stopped = processesBelow(own.groupId)
        await freeze(stopped)
        await refuses(location.head('a'), 'location.stalled', 'far')
        await refuses(location.head('a'), 'location.unreachable', 'far')
        thaw(stopped)
        assert.deepEqual(await location.head('a'), { sizeBytes: 10 })

        const bytes = pattern(5_000_000)
        const sink = await location.create('b')
        await sink.write(bytes.subarray(0, 3_000_000))
        killSessions(own.groupId)
        await sink.write(bytes.subarray(3_000_000))
        await sink.finish()
        assert.ok(Buffer.from(bytes).equals(await readAll(location, 'b')))

        const revoked = await location.create('c')
        await revoked.write(bytes.subarray(0, 3_000_000))
        await writeFile(join(dirname(config.key!), 'authorized_keys'), '')
        killSessions(own.groupId)
        await refuses(
          async () => {
            await revoked.write(bytes.subarray(3_000_000))
            await revoked.finish()
          },
          'location.denied',
          'far',
        )
        for (const pid of processesBelow(own.groupId)) signalled(pid, 'SIGKILL')
        await refuses(location.head('a'), 'location.unreachable', 'far')
        await location.close()
      } finally {
        await own.stop()
      }
    })
  })
}

function killSessions(pid: number): void {
  for (const each of processesBelow(pid)) {
    const { stdout } = spawnSync('ps', ['-o', 'args=', '-p', String(each)], { encoding: 'utf8' })
    if (/^sshd: .*(?:@|internal-sftp|\[priv\])/.test(stdout)) signalled(each, 'SIGKILL')
  }
}

function noMount(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'mount-'))
  const tried = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', folder])
  if (tried.status === 0) spawnSync('umount', [folder])
  rmSync(folder, { recursive: true })
  return tried.status === 0 ? undefined : 'nothing may be mounted here: a full disk was played only'
}
