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
  const output = zip.outputStream as Readable
  const fail = (error: Error) => void output.destroy(error)
  zip.on('error', fail)
  for (const file of files) {
    zip.addReadStreamLazy(file.path, { mtime: new Date(file.created_at), size: file.bytes }, (done) => {
      // yazl leaves the errors of what it reads to whoever made it.
      done(null, Readable.from(contentOf(file, load)).on('error', fail))
    })
  }
  zip.end()
  return output
}
