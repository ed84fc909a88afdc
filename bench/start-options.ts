import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

const manifest = join(import.meta.dirname, '..', 'package.json')

/** The options that `npm start` gives to Node: what is measured is the service as it is started. */
export async function readStartOptions(): Promise<readonly string[]> {
  const { scripts } = JSON.parse(await readFile(manifest, 'utf8')) as { readonly scripts: { readonly start: string } }
  return scripts.start.split(' ').filter((word) => word.startsWith('--'))
}
