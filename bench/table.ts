/** Columns of text, the first to the left and the others to the right. */
export function formatTable(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [heading, ...rows]
  const widths = heading.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)))
  return all.map((row) => `  ${formatRow(row, widths)}`).join('\n')
}

function formatRow(row: readonly string[], widths: readonly number[]): string {
  const cells = widths.map((width, column) => {
    const text = row[column] ?? ''
    return column === 0 ? text.padEnd(width) : text.padStart(width)
  })
  return cells.join('  ').trimEnd()
}
