// The SFTP driver keeps the contract on OpenSSH.
import { locationConformance } from './conformance.ts'
import { endpointFor } from './servers.ts'
import { sftpConfigOn, sftpLocation } from './sftp-servers.ts'

const sshd = endpointFor('sshd')
if (sshd !== undefined) {
  locationConformance('SFTP of OpenSSH', async () => {
    const location = sftpLocation(await sftpConfigOn(sshd))
    return { location, close: () => location.close() }
  })
}
