/** One entry of an archive's directory. */
export interface ZipEntry {
  readonly name: string
  /** As `stat` gives it: type and permissions. */
  readonly mode: number
}

const endOfDirectory = 0x06054b50
const entrySignature = 0x02014b50
const entryBytes = 46

/** Reads the directory of a ZIP archive (APPNOTE.TXT 4.3.12, 4.3.16), as whoever unpacks it will. */
export function zipEntries(archive: Buffer): readonly ZipEntry[] {
  const end = archive.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]))
  if (end === -1 || archive.readUInt32LE(end) !== endOfDirectory) throw new Error('This is no archive.')
  const entries: ZipEntry[] = []
  let at = archive.readUInt32LE(end + 16)
  for (let left = archive.readUInt16LE(end + 10); left > 0; left -= 1) {
    if (archive.readUInt32LE(at) !== entrySignature) throw new Error('The directory is broken.')
    const nameBytes = archive.readUInt16LE(at + 28)
    const name = archive.subarray(at + entryBytes, at + entryBytes + nameBytes).toString()
    entries.push({ name, mode: archive.readUInt32LE(at + 38) >>> 16 })
    at += entryBytes + nameBytes + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32)
  }
  return entries
}
