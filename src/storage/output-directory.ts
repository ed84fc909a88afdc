import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'

import { AppError } from '../errors.ts'
import type { OutputDirectory, Publication } from '../workflows/queue.ts'
import { type ConfinedDirectory, openDirectory } from './confined-directory.ts'

/**
 * Writes each workflow to `<root>/<id>/`. It is made under a name of its own and renamed when it is whole. Only
 * directories made by this call are written into, each held open: no symbolic link is followed, also none that somebody
 * plants meanwhile, and nothing outside of the root is touched.
 */
export function createOutputDirectory(root: string): OutputDirectory {
  return {
    async publish(publication) {
      if (!/^\w+$/.test(publication.workflowId)) throw new AppError('internal', 'This is no id of a workflow.')
      await mkdir(root, { recursive: true })
      const base = await openDirectory(root)
      try {
        await publishIn(base, publication)
      } finally {
        await base.close()
      }
    },
  }
}

async function publishIn(base: ConfinedDirectory, publication: Publication): Promise<void> {
  const { workflowId, isRepeated = false } = publication
  const prefix = `.${workflowId}-`
  const name = `${prefix}${randomUUID()}`
  const made = await base.enter(name)
  const left = [name, `${name}-former`]
  try {
    await fill(made, publication)
    await replace(base, workflowId, { name, made })
    // Not before: what a try that died has moved aside is all there is until now.
    if (isRepeated) left.push(...(await base.names()).filter((other) => other.startsWith(prefix)))
  } finally {
    await made.close()
    // what cannot be deleted is in nobody's way
    for (const other of left) await base.remove(other).catch(() => undefined)
  }
}

async function fill(made: ConfinedDirectory, { files }: Publication): Promise<void> {
  for await (const { path, content } of files) await writeBelow(made, path.split('/'), content)
}

async function writeBelow(directory: ConfinedDirectory, parts: readonly string[], content: Buffer): Promise<void> {
  const [first = '', ...rest] = parts
  if (first === '' || first === '.' || first === '..') throw new AppError('internal', 'This path leads elsewhere.')
  if (rest.length === 0) return directory.write(first, content)
  const inner = await directory.enter(first)
  try {
    await writeBelow(inner, rest, content)
  } finally {
    await inner.close()
  }
}

interface Made {
  readonly name: string
  readonly made: ConfinedDirectory
}

/** `rename` does not replace a directory that has something in it. What was there comes back when this fails. */
async function replace(base: ConfinedDirectory, target: string, { name, made }: Made): Promise<void> {
  const former = `${name}-former`
  const existed = await base.rename(target, former).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
      return false
    },
  )
  try {
    await base.rename(name, target)
    if (await base.holds(target, made)) return
    await base.rename(target, name)
    throw new AppError('internal', `Somebody has put something else in the place of ${name}.`)
  } catch (error) {
    if (existed) await base.rename(former, target)
    throw error
  }
}
