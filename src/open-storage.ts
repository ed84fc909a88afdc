import type { Settings } from './config/settings.ts'
import type { Log } from './observability/log.ts'
import { storageOptions } from './part-options.ts'
import { createStorage } from './storage/create-storage.ts'
import type { Storage } from './storage/create-storage.ts'
import type { StorageParts } from './storage/open-database.ts'
import { preparedDirectoryPath } from './storage/prepare.ts'

export interface OpenStorageParts extends Pick<StorageParts, 'onFatal' | 'around'> {
  readonly log: Log
}

/**
 * Where state lives, by the settings. Its embedded database begins to open at once, in a thread of its own: that takes
 * as long as loading and building the rest, so both go on side by side. `Storage.start` tells what came of it.
 */
export async function openStorage(settings: Settings, { log, ...parts }: OpenStorageParts): Promise<Storage> {
  const logger = log.logger('storage.database')
  const storage = createStorage(storageOptions(settings, await preparedDirectoryPath()), {
    ...parts,
    onError: (error) => logger.warning('The database failed in the background; it is tried again.', { error }),
  })
  await storage.open()
  return storage
}
