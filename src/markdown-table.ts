/** A table in Markdown, its columns padded as a formatter would. Ends without a line break. */
export function renderMarkdownTable(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const escaped = [heading, ...rows].map((cells) => cells.map((cell) => cell.replaceAll('|', String.raw`\|`)))
  const widths = heading.map((_, column) => Math.max(3, ...escaped.map((cells) => cells[column]?.length ?? 0)))
  const lines = escaped.map((cells) => `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`)
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
  return [lines[0], rule, ...lines.slice(1)].join('\n')
}
