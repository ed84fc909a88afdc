import { Readable } from 'node:stream'
import { ZipFile } from 'yazl'
import { type ExportPlan, leftOutFile, leftOutPath } from '../workflows/export-files.ts'
import type { ArtifactResource } from '../workflows/resources.ts'

type Load = (file: ArtifactResource) => Promise<Buffer>

/** A regular file that its owner may write: nothing in an archive is a link. */
const mode = 0o100644

async function* contentOf(file: ArtifactResource, load: Load): AsyncGenerator<Buffer> {
  yield await load(file)
}

/**
 * A ZIP archive of the files, made while it is read: one file is in memory at a time. The stream fails when a file
 * cannot be loaded, so that nobody takes half an archive for a whole one. What is left out is said in a file of its own.
 */
export function zipFiles({ files, leftOut }: ExportPlan<ArtifactResource>, load: Load): Readable {
  const zip = new ZipFile()
  const output = zip.outputStream as Readable
  const fail = (error: Error) => void output.destroy(error)
  zip.on('error', fail)
  for (const file of files) {
    zip.addReadStreamLazy(file.path, { mtime: new Date(file.created_at), size: file.bytes, mode }, (done) => {
      // yazl leaves the errors of what it reads to whoever made it.
      done(null, Readable.from(contentOf(file, load)).on('error', fail))
    })
  }
  if (leftOut.length > 0) zip.addBuffer(leftOutFile(leftOut), leftOutPath, { mode })
  zip.end()
  return output
}
