import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A directory of its own under the system's temporary one. */
export interface TemporaryDirectory {
  readonly path: string
  remove(): Promise<void>
}

/** Makes one. It goes with the process at the latest, also when somebody else ends that at a signal. */
export async function makeTemporaryDirectory(): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'bench-'))
  const options = { recursive: true, force: true, maxRetries: 3 }
  const removeAtOnce = () => rmSync(path, options)
  process.once('exit', removeAtOnce)
  return {
    path,
    async remove() {
      await rm(path, options)
      process.removeListener('exit', removeAtOnce)
    },
  }
}
