import { randomUUID } from 'node:crypto'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import type { OutputDirectory, Publication } from '../workflows/queue.ts'

/**
 * Writes each workflow to `<root>/<id>/`. It is made under a name of its own and renamed when it is whole; only
 * directories made by this call are written into, so no symbolic link is ever followed.
 */
export function createOutputDirectory(root: string): OutputDirectory {
  return {
    async publish(publication) {
      await mkdir(root, { recursive: true })
      const made = join(root, `.${publication.workflowId}-${randomUUID()}`)
      try {
        await fill(made, publication)
        await replace(join(root, publication.workflowId), made)
      } finally {
        await rm(made, { recursive: true, force: true })
      }
    },
  }
}

async function fill(directory: string, { files }: Publication): Promise<void> {
  await mkdir(directory)
  for await (const { path, content } of files) {
    const target = join(directory, ...path.split('/'))
    await mkdir(dirname(target), { recursive: true })
    await writeFile(target, content)
  }
}

/** `rename` does not replace a directory that has something in it. */
async function replace(target: string, made: string): Promise<void> {
  const former = `${made}-former`
  const existed = await rename(target, former).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
      return false
    },
  )
  await rename(made, target)
  if (existed) await rm(former, { recursive: true, force: true })
}
