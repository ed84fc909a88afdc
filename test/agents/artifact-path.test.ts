import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkArtifactPath, foldedPath, printablePath } from '../../src/agents/artifact-path.ts'

describe('paths that are taken', () => {
  it.each([
    ['src/app.py', 'src/app.py'],
    ['./.gitignore', '.gitignore'],
    ['././a/b.ts', 'a/b.ts'],
    ['src\\win\\app.cs', 'src/win/app.cs'],
    ['.github/workflows/ci.yml', '.github/workflows/ci.yml'],
    ['.env.example', '.env.example'],
    ['app/[slug]/(group)/@slot/page.tsx', 'app/[slug]/(group)/@slot/page.tsx'],
    ['docs/My Notes.md', 'docs/My Notes.md'],
    ['cafe\u0301.md', 'caf\u00e9.md'],
    ['日本語/読む.md', '日本語/読む.md'],
    ['Dockerfile', 'Dockerfile'],
    ['a..b/c...d', 'a..b/c...d'],
    ['.workflows/ci.yml', '.workflows/ci.yml'],
    ['docs/.workflow/x', 'docs/.workflow/x'],
    ['workflow/x', 'workflow/x'],
    ['docs/Übersicht für Straße.md', 'docs/Übersicht für Straße.md'],
    ['テスト・データ/ノート.md', 'テスト・データ/ノート.md'],
    ['docs/हिन्दी.md', 'docs/हिन्दी.md'],
    ['.gitignore', '.gitignore'],
    ['src/git~x', 'src/git~x'],
    [`${'a/'.repeat(31)}a`, `${'a/'.repeat(31)}a`],
  ])('%s', (written, path) => {
    expect(checkArtifactPath(written)).toEqual({ path })
  })
})

describe('paths that are refused', () => {
  it.each([
    '',
    '.',
    './',
    '..',
    '../x',
    '../../../../x',
    'a/../../b',
    'a/..',
    '..\\..\\x',
    '/etc/passwd',
    './/etc/passwd',
    '\\etc\\passwd',
    'C:\\x',
    'c:x',
    '\\\\host\\share\\x',
    '//host/share',
    '\\\\?\\C:\\x',
    '~/.ssh/id',
    '~root/x',
    'a\0b',
    'a\nb',
    'a\r\nb',
    'a\tb',
    'a\u007fb',
    'a\u0085b',
    'a\u2028b',
    'a\u202egnp.exe',
    'a\u2066b',
    'a\u200bb',
    '\ufeffa',
    'a\u00adb',
    'a\ud800b',
    'a//b',
    'a/',
    'a/./b',
    'CON',
    'con.txt',
    'aux.c',
    'src/nul',
    'COM1.log',
    'COM\u00b9',
    'lpt9',
    'con .txt',
    'a.',
    'a ',
    ' a',
    'a./b',
    'a /b',
    'a<b',
    'a>b',
    'a|b',
    'a?b',
    'a*b',
    'a"b',
    'a:b',
    'a.txt::$DATA',
    '.git/hooks/pre-commit',
    '.git',
    'x/.GIT/config',
    'git~1/config',
    '.g\u200cit/config',
    '%2e%2e/x',
    '%2E%2e%2fx',
    'a%00b',
    '\uff0e\uff0e/x',
    '\u2025/x',
    'a\uff0fb',
    'a\uff3cb',
    `${'a/'.repeat(32)}a`,
    'a'.repeat(256),
    'é'.repeat(128),
    `${'a'.repeat(200)}/`.repeat(6),
    'x'.repeat(5_000_000),
    'a\u3164b',
    'a\ufe0fb',
    'a\u034fb',
    'a\u{e0041}b',
    'a\uf03ab',
    'a\uffffb',
    'a\u00a0',
    'a\u3000b',
    'a\u2800b',
    'a\u2215b',
    'a\u2044b',
    'a\u29f8b',
    'a\u2216b',
    'a\u2571b',
    'a\ufe68b',
    'a\ua789b',
    'a\uff1ab',
    '\uff23:x',
    '\uff5e/x',
    '\uff05\uff12\uff25/x',
    '\u2024\u2024/x',
    '\u2024./x',
    '\ua4f8\ua4f8/x',
    '\u30fb\u30fb/x',
    '\u2026/x',
    'x/.g\u0131t/config',
    '\uff0egit/config',
    '.\u{1d420}it/config',
    '.hg/hgrc',
    'x/.SVN/entries',
    '\u{1d402}ON',
    'nul.txt',
    'nul .tar.gz',
    'CON\u0131N$',
  ])('%j', (written) => {
    expect(checkArtifactPath(written)).toHaveProperty('reason')
  })
})

it.each([
  '.workflow/output.md',
  './.Workflow/x',
  '.WORKFLOW',
  '.wor\u212aflow/x',
  '.workflo\uff57/x',
  '.workflow\\x',
  '\uff0eworkflow/x',
  'WORKFL~1/x',
])("%j would stand among the service's own files", (written) => {
  expect(checkArtifactPath(written)).toEqual({ reason: "the folder .workflow is kept for the service's own files" })
})

const hostilePiece = fc.constantFrom(
  '..',
  '.',
  '/',
  '\\',
  '~',
  'a',
  'é',
  '.git',
  'con',
  ' ',
  '%2e',
  ':',
  '\0',
  '\u202e',
  '\ud800',
  '\uff0e',
  '\uff0f',
  '\u2024',
  '\u2215',
  '\u3164',
  '\ud835\udc00',
)

describe('whatever is written', () => {
  it('a path that is taken stays inside, and is taken unchanged again', () => {
    const written = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.array(hostilePiece).map((pieces) => pieces.join('')),
    )
    fc.assert(
      fc.property(written, (path) => {
        const checked = checkArtifactPath(path)
        if ('reason' in checked) return
        const url = new URL(checked.path.replaceAll('#', '%23'), 'file:///root/')
        expect(url.pathname).toMatch(/^\/root\/./)
        expect(checked.path.split('/')).not.toContain('..')
        expect(checkArtifactPath(checked.path)).toEqual(checked)
        const asOthersReadIt = checked.path.normalize('NFKC').split('/')
        expect(asOthersReadIt).toHaveLength(checked.path.split('/').length)
        expect(asOthersReadIt).not.toContain('..')
        expect(checked.path).not.toMatch(/[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/u)
      }),
    )
  })

  it('twins fold together', () => {
    expect(foldedPath('SRC/App.py')).toBe(foldedPath('src/app.PY'))
    expect(foldedPath('stra\u00dfe')).toBe(foldedPath('STRASSE'))
  })
})

describe('a refused path as it is shown', () => {
  it('is short, well-formed and all visible', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (path) => {
        const shown = printablePath(path)
        expect(shown.length).toBeLessThanOrEqual(201)
        expect(shown.isWellFormed()).toBe(true)
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/u)
      }),
    )
    expect(printablePath('../\u202e\u3164x')).toBe('../\ufffd\ufffdx')
    expect(printablePath(`${'a'.repeat(199)}\u{1f600}`)).toBe(`${'a'.repeat(199)}\ufffd…`)
  })
})
