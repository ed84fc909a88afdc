import { Readable } from 'node:stream'
import { ZipFile } from 'yazl'
import type { ArtifactResource } from '../workflows/resources.ts'

/**
 * A ZIP archive of the files, made while it is read: one file is in memory at a time. The stream fails when a file
 * cannot be loaded, so that nobody takes half an archive for a whole one.
 */
export function zipFiles(
  files: readonly ArtifactResource[],
  load: (file: ArtifactResource) => Promise<Buffer>,
): Readable {
  const zip = new ZipFile()
  const output = new Readable().wrap(zip.outputStream)
  zip.on('error', (error: Error) => output.destroy(error))
  for (const file of files) {
    const options = { mtime: new Date(file.created_at), size: file.bytes }
    zip.addReadStreamLazy(file.path, options, (done) => {
      load(file).then(
        (content) => done(null, Readable.from([content])),
        (error: unknown) => done(error, Readable.from([])),
      )
    })
  }
  zip.end()
  return output
}
