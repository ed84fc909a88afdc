// what may be followed by labels in parentheses, and what joins two sides
const words = new Set(['and', 'or', 'unless', 'bool', 'offset', 'on', 'ignoring', 'by', 'without'])

/** The series that a PromQL expression names. Good enough for expressions of ours: no subqueries, no quoted names. */
export function seriesIn(expression: string): readonly string[] {
  const bare = expression
    .replaceAll(/"(?:[^"\\]|\\.)*"/g, '')
    .replaceAll(/\{[^}]*\}|\[[^\]]*\]/g, ' ')
    .replaceAll(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ')
    .replaceAll(/\$\w+/g, ' ')
  const names = bare.matchAll(/(?<![\w.])([a-zA-Z_]\w*)\b(?!\s*\()/g)
  return [...new Set([...names].map(([, name = '']) => name))].filter((name) => !words.has(name))
}

/** The labels that it names, in matchers and lists. */
export function labelsIn(expression: string): readonly string[] {
  const matchers = expression.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g)
  const lists = expression.matchAll(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g)
  const listed = [...lists].flatMap(([, list = '']) => list.split(',').map((label) => label.trim()))
  return [...new Set([...[...matchers].map(([, label = '']) => label), ...listed])]
}
