// The face of the storage room.
export type { Location } from './location.ts'
export type { OpenedToRead, OpenedToWrite, SiteStorage, SiteStorageOptions } from './site-storage.ts'
export { openSiteStorage } from './site-storage.ts'
export type { StorageLog } from './vault.ts'
