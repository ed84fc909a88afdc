import { constants, existsSync } from 'node:fs'
import { lstat, mkdir, open, readdir, rename, rmdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * An open directory. What is done in it is done to this very directory, whatever its path names by then, and no symbolic
 * link below it is followed. (Where there is no `/proc`, the path is used, and only names that are links are refused.)
 * Every name is one part of a path. Throws what `fs` throws.
 */
export interface ConfinedDirectory {
  /** Opens the directory of that name in it, and makes it where there is none. A link is refused. */
  enter(name: string): Promise<ConfinedDirectory>
  /** Writes a new file; one that is there, or a link, is refused. */
  write(name: string, content: Buffer): Promise<void>
  /** Gives what has one name in it another one. */
  rename(from: string, to: string): Promise<void>
  /** Whether that name in it is the given directory itself. */
  holds(name: string, directory: ConfinedDirectory): Promise<boolean>
  /** Deletes what has that name, links as links; nothing there is no error. */
  remove(name: string): Promise<void>
  /** Names of what is in it. */
  names(): Promise<readonly string[]>
  /** What it is, for the whole machine. */
  identity(): Promise<string>
  close(): Promise<void>
}

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants

/** Opens a directory; its own path may lead over links, for whoever runs the service has named it. */
export function openDirectory(path: string): Promise<ConfinedDirectory> {
  return openWith(path, O_RDONLY | O_DIRECTORY)
}

async function openWith(path: string, flags: number): Promise<ConfinedDirectory> {
  const handle = await open(path, flags)
  const ofHandle = `/proc/self/fd/${handle.fd}`
  const place = existsSync(ofHandle) ? ofHandle : path
  const directory: ConfinedDirectory = {
    async enter(name) {
      await mkdir(join(place, name)).catch(ignoring('EEXIST'))
      return openWith(join(place, name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    },
    async write(name, content) {
      const file = await open(join(place, name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
      try {
        await file.writeFile(content)
      } finally {
        await file.close()
      }
    },
    rename: (from, to) => rename(join(place, from), join(place, to)),
    async holds(name, other) {
      return identityOf(await lstat(join(place, name))) === (await other.identity())
    },
    remove: (name) => remove(directory, place, name),
    names: () => readdir(place),
    identity: async () => identityOf(await handle.stat()),
    close: () => handle.close(),
  }
  return directory
}

async function remove(directory: ConfinedDirectory, place: string, name: string): Promise<void> {
  const path = join(place, name)
  const found = await lstat(path).catch(ignoring('ENOENT'))
  if (found === undefined) return
  if (!found.isDirectory()) return unlink(path)
  const inner = await directory.enter(name)
  try {
    for (const entry of await inner.names()) await inner.remove(entry)
  } finally {
    await inner.close()
  }
  await rmdir(path)
}

function identityOf({ dev, ino }: { readonly dev: number; readonly ino: number }): string {
  return `${dev}:${ino}`
}

function ignoring(code: string): (error: NodeJS.ErrnoException) => undefined {
  return (error) => {
    if (error.code !== code) throw error
  }
}
