// The face of the storage room.
export { type DeletionRecord, verifyDeletionRecord } from './deletion-record.ts'
export type { Location } from './location.ts'
export type { SiteStorageOptions } from './site-core.ts'
export type { OpenedToRead, OpenedToWrite } from './site-files.ts'
export { openSiteStorage, type SiteStorage } from './site-storage.ts'
export { storageMigrations, type StorageTables } from './tables.ts'
export type { StorageLog } from './vault.ts'
