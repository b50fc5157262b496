// Containers on the Azurite that the test command has started, made by Microsoft's own kit.
import { randomBytes } from 'node:crypto'
import { BlobServiceClient, type ContainerClient, StorageSharedKeyCredential } from '@azure/storage-blob'
import { SecretBytes } from '#base'
import { type AzureLocationOptions, createAzureLocation } from '../../../src/storage/locations/azure/azure.ts'
import type { AzureCredentials } from '../../../src/storage/locations/azure/credentials.ts'
import type { Location } from '../../../src/storage/location.ts'

/** Those that everybody's Azurite has (https://learn.microsoft.com/azure/storage/common/storage-use-azurite). */
export const ACCOUNT = 'devstoreaccount1'
export const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='

export const ACCOUNT_KEY: AzureCredentials = { kind: 'key', account: undefined, key: new SecretBytes(Buffer.from(KEY, 'base64')) }

export function kitOf(endpoint: string): BlobServiceClient {
  return new BlobServiceClient(`${endpoint}/${ACCOUNT}`, new StorageSharedKeyCredential(ACCOUNT, KEY))
}

/** A container of a new name. */
export async function makeContainer(endpoint: string): Promise<ContainerClient> {
  const container = kitOf(endpoint).getContainerClient(`q-${randomBytes(8).toString('hex')}`)
  await container.create()
  return container
}

/** A location in a container, the endpoint being the server's own or that of somebody between. */
export function locationIn(container: string, options: Partial<AzureLocationOptions> & { readonly endpoint: string }): Location {
  return createAzureLocation({
    label: 'cloud',
    account: ACCOUNT,
    accountInPath: true,
    container,
    credentials: async () => ACCOUNT_KEY,
    ...options,
  })
}
