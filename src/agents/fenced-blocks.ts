import MarkdownIt from 'markdown-it'

/** A fenced code block of CommonMark, also inside list items and quotes. */
export interface FencedBlock {
  /** What stands behind the opening fence, trimmed. */
  readonly info: string
  /** The run of backticks or tildes that opens it. */
  readonly fence: string
  /** Exactly what stands between the fences, line ends as written; the indentation of the fence itself is no content. */
  readonly content: string
  readonly closed: boolean
  /** The line of a paragraph or heading right before the block; null when something else, or nothing, stands there. */
  readonly lead: { readonly text: string; readonly heading: boolean } | null
  /** Lines of the text that the block covers, fences included, the end exclusive. */
  readonly lines: readonly [from: number, to: number]
}

type Token = ReturnType<InstanceType<typeof MarkdownIt>['parse']>[number]

/** Finds the fenced blocks of texts; one parser serves any number of them. */
export function createFenceParser(): (text: string) => readonly FencedBlock[] {
  // only what decides where a fence begins and ends; HTML blocks would hide the files between <details> tags
  const markdown = new MarkdownIt('zero', { maxNesting: 12 }).enable([
    'fence',
    'blockquote',
    'hr',
    'list',
    'heading',
    'lheading',
    'code',
  ])
  return (text) => {
    const tokens: Token[] = []
    // the block parser alone: the inline parser would only cost time
    markdown.block.parse(text.replaceAll(/\r\n?/g, '\n'), markdown, {}, tokens)
    const lineEnds = text.includes('\r') ? [...text.matchAll(/\r\n?|\n/g)].map(([end]) => end) : null
    return tokens.flatMap((token, index) =>
      token.type === 'fence' ? [readBlock(token, leadBefore(tokens, index), lineEnds)] : [],
    )
  }
}

function readBlock(token: Token, lead: FencedBlock['lead'], lineEnds: readonly string[] | null): FencedBlock {
  const [from, to] = token.map ?? [0, 0]
  const lines = token.content.split('\n')
  const contentLines = lines.length - (lines.at(-1) === '' ? 1 : 0)
  return {
    info: token.info.trim(),
    fence: token.markup,
    content: lineEnds === null ? token.content : withLineEnds(lines, lineEnds.slice(from + 1, to)),
    closed: to - from - 1 > contentLines,
    lead,
    lines: [from, to],
  }
}

function withLineEnds(lines: readonly string[], lineEnds: readonly string[]): string {
  const last = lines.length - 1
  return lines.map((line, index) => (index === last ? line : line + (lineEnds[index] ?? '\n'))).join('')
}

function leadBefore(tokens: readonly Token[], index: number): FencedBlock['lead'] {
  let before = index - 1
  while (before >= 0 && tokens[before]?.nesting !== 0) before -= 1
  const token = tokens[before]
  if (token?.type !== 'inline') return null
  const text = token.content.slice(token.content.lastIndexOf('\n') + 1).trim()
  return { text, heading: tokens[before - 1]?.type === 'heading_open' }
}
