import { Readable } from 'node:stream'
import { ZipFile } from 'yazl'
import type { ArtifactResource } from '../workflows/resources.ts'

type Load = (file: ArtifactResource) => Promise<Buffer>

async function* contentOf(file: ArtifactResource, load: Load): AsyncGenerator<Buffer> {
  yield await load(file)
}

/**
 * A ZIP archive of the files, made while it is read: one file is in memory at a time. The stream fails when a file
 * cannot be loaded, so that nobody takes half an archive for a whole one.
 */
export function zipFiles(files: readonly ArtifactResource[], load: Load): Readable {
  const zip = new ZipFile()
  const output = new Readable().wrap(zip.outputStream)
  zip.on('error', (error: Error) => output.destroy(error))
  for (const file of files) {
    const options = { mtime: new Date(file.created_at), size: file.bytes }
    zip.addReadStreamLazy(file.path, options, (done) => done(null, Readable.from(contentOf(file, load))))
  }
  zip.end()
  return output
}
