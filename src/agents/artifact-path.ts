const MAX_PATH_BYTES = 1024
const MAX_SEGMENT_BYTES = 255
const MAX_DEPTH = 32

/** A path as it may be stored, or why it is refused. */
export type CheckedPath = { readonly path: string } | { readonly reason: string }

type Rule = readonly [refuses: (value: string) => boolean, reason: string]

const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u
const reservedName = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9]|conin\$|conout\$|clock\$)$/i

// what a publication of the files holds besides them, also under the short name that Windows gives it
const ownFolder = /^(?:\.workflow|workfl~\d+)(?:\/|$)/i

const pathRules: readonly Rule[] = [
  [(path) => path === '', 'the path is empty'],
  [(path) => Buffer.byteLength(path) > MAX_PATH_BYTES, `the path is longer than ${MAX_PATH_BYTES} bytes`],
  [(path) => invisible.test(path), 'the path holds control or invisible characters'],
  [(path) => path.startsWith('//'), 'the path names a network share'],
  [(path) => path.startsWith('/'), 'the path is absolute'],
  [(path) => /^[a-z]:/i.test(path), 'the path names a drive'],
  [(path) => path.startsWith('~'), 'the path names a home folder'],
  [(path) => /%[0-9a-f]{2}/i.test(path), 'the path holds a percent escape'],
  [(path) => /[<>:"|?*]/.test(path), 'the path holds a character that file systems refuse'],
  [(path) => ownFolder.test(path.normalize('NFKC')), "the folder .workflow is kept for the service's own files"],
  [(path) => path.split('/').length > MAX_DEPTH, `the path is deeper than ${MAX_DEPTH} folders`],
]

const segmentRules: readonly Rule[] = [
  [(segment) => segment === '', 'a part of the path is empty'],
  [(segment) => segment === '..', 'the path leaves its folder'],
  [(segment) => segment === '.', 'a part of the path is a dot'],
  [(segment) => /[/\\]/.test(segment), 'a part of the path hides a separator'],
  [(segment) => /[. ]$|^ /.test(segment), 'a part of the path begins with a space or ends with a dot or space'],
  [(segment) => Buffer.byteLength(segment) > MAX_SEGMENT_BYTES, `a part is longer than ${MAX_SEGMENT_BYTES} bytes`],
  [(segment) => /^(?:\.git|git~\d+)$/i.test(segment), 'the path touches a .git folder'],
  [(segment) => reservedName.test((segment.split('.')[0] ?? '').trimEnd()), 'a part is a reserved device name'],
]

/**
 * The one rule for paths of files, from clients and from models. Backslashes become slashes, Unicode NFC, a leading
 * `./` goes; whatever else is wrong is refused, never repaired. A path that passes once passes unchanged again.
 */
export function checkArtifactPath(path: string): CheckedPath {
  if (path.length > MAX_PATH_BYTES) return { reason: `the path is longer than ${MAX_PATH_BYTES} bytes` }
  const normal = path
    .replaceAll('\\', '/')
    .normalize('NFC')
    .replace(/^(?:\.\/)+/, '')
  const reason = brokenRule(pathRules, normal) ?? brokenSegment(normal)
  return reason === undefined ? { path: normal } : { reason }
}

/** Equal for two paths that are the same file where upper and lower case are not told apart. */
export function foldedPath(path: string): string {
  return path.toUpperCase().toLowerCase().normalize('NFC')
}

function brokenSegment(path: string): string | undefined {
  for (const segment of path.split('/')) {
    // full-width dots and the like become the dangerous form when somebody else normalises the name
    const reason = brokenRule(segmentRules, segment) ?? brokenRule(segmentRules, segment.normalize('NFKC'))
    if (reason !== undefined) return reason
  }
  return undefined
}

function brokenRule(rules: readonly Rule[], value: string): string | undefined {
  return rules.find(([refuses]) => refuses(value))?.[1]
}
