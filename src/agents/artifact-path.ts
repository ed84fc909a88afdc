const MAX_PATH_BYTES = 1024
const MAX_SEGMENT_BYTES = 255
const MAX_DEPTH = 32
const MAX_SHOWN = 200

/** A path as it may be stored, or why it is refused. */
export type CheckedPath = { readonly path: string } | { readonly reason: string }

type Rule = readonly [refuses: (value: string) => boolean, reason: string]

// private use: some systems write characters there that their file systems refuse
const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Noncharacter_Code_Point}\p{Default_Ignorable_Code_Point}]/u
const unusualBlank = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u2800\u3000]/
// no letters, and nobody tells them from a slash, a backslash or a colon
const likeSeparator = /[\u2044\u2215\u2216\u2571\u2572\u27cb\u27cd\u29f5\u29f8\u29f9\ufe68\ua789\u2236]/
const onlyDots = /^[.\u00b7\u2024-\u2027\u22c5\u2e31\u30fb\ua4f8\ua4fa\ufe52\u0701\u0702\u0660\u06f0]{2,}$/
const reservedName = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9]|conin\$|conout\$|clock\$)$/i

// what a publication of the files holds besides them, also under the short name that Windows gives it
const ownFolder = /^(?:\.workflow|workfl~\d+)(?:\/|$)/i

const pathRules: readonly Rule[] = [
  [(path) => path === '', 'the path is empty'],
  [(path) => Buffer.byteLength(path) > MAX_PATH_BYTES, `the path is longer than ${MAX_PATH_BYTES} bytes`],
  [(path) => invisible.test(path), 'the path holds control or invisible characters'],
  [(path) => unusualBlank.test(path), 'the path holds a blank that is no space'],
  [(path) => likeSeparator.test(path), 'the path holds a character that looks like a separator'],
  [(path) => path.startsWith('//'), 'the path names a network share'],
  [(path) => path.startsWith('/'), 'the path is absolute'],
  [(path) => /^[a-z]:/i.test(path), 'the path names a drive'],
  [(path) => path.startsWith('~'), 'the path names a home folder'],
  [(path) => /%[0-9a-f]{2}/i.test(path), 'the path holds a percent escape'],
  [(path) => /[<>:"|?*]/.test(path), 'the path holds a character that file systems refuse'],
  [(path) => ownFolder.test(path), "the folder .workflow is kept for the service's own files"],
  [(path) => path.split('/').length > MAX_DEPTH, `the path is deeper than ${MAX_DEPTH} folders`],
]

const segmentRules: readonly Rule[] = [
  [(segment) => segment === '', 'a part of the path is empty'],
  [(segment) => segment === '..', 'the path leaves its folder'],
  [(segment) => segment === '.', 'a part of the path is a dot'],
  [(segment) => /[. ]$|^ /.test(segment), 'a part of the path begins with a space or ends with a dot or space'],
  [(segment) => onlyDots.test(segment), 'a part of the path is nothing but dots'],
  [(segment) => Buffer.byteLength(segment) > MAX_SEGMENT_BYTES, `a part is longer than ${MAX_SEGMENT_BYTES} bytes`],
  [(segment) => /^(?:\.git|git~\d+)$/i.test(segment), 'the path touches a .git folder'],
  [(segment) => /^\.(?:hg|svn|bzr)$/i.test(segment), "the path touches a version control system's folder"],
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
  // full-width dots and the like become the dangerous form when somebody else normalises the name
  const asOthersReadIt = foldedPath(normal.normalize('NFKC'))
  const reason = brokenPath(normal) ?? hiddenSeparator(normal, asOthersReadIt) ?? brokenPath(asOthersReadIt)
  return reason === undefined ? { path: normal } : { reason }
}

/** Equal for two paths that are the same file where upper and lower case are not told apart. */
export function foldedPath(path: string): string {
  return path.toUpperCase().toLowerCase().normalize('NFC')
}

/** A path fit to be shown to people, as when it was refused: nothing invisible, and not endless. */
export function printablePath(path: string): string {
  const visible = Array.from(path.slice(0, MAX_SHOWN), (character) => (isUnseen(character) ? '\uFFFD' : character))
  return visible.join('') + (path.length > MAX_SHOWN ? '…' : '')
}

function isUnseen(character: string): boolean {
  return invisible.test(character) || unusualBlank.test(character)
}

function hiddenSeparator(path: string, asOthersReadIt: string): string | undefined {
  const isHidden = asOthersReadIt.includes('\\') || asOthersReadIt.split('/').length > path.split('/').length
  return isHidden ? 'a part of the path hides a separator' : undefined
}

function brokenPath(path: string): string | undefined {
  const broken = brokenRule(pathRules, path)
  if (broken !== undefined) return broken
  for (const segment of path.split('/')) {
    const reason = brokenRule(segmentRules, segment)
    if (reason !== undefined) return reason
  }
  return undefined
}

function brokenRule(rules: readonly Rule[], value: string): string | undefined {
  return rules.find(([refuses]) => refuses(value))?.[1]
}
