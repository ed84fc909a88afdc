import { isDeepStrictEqual } from 'node:util'
import { isOfGuideOnly, looksLikeOurs } from './foreign-names.ts'
import { didYouMean, nearest } from './nearest.ts'
import { addText } from './read-text.ts'
import { faultOf, openReading, type Entry, type OpenReading, type Reading } from './reading.ts'
import { settingAt } from './setting-path.ts'
import type { VariableNames, Variables } from './variable-names.ts'

interface Variable {
  readonly name: string
  readonly value: string
  readonly place: string
}

/** Reads the settings among `variables`. `origin` stands before each name in places: empty, or `.env: `. */
export function readEnvironment(variables: Variables, names: VariableNames, origin: string): Reading {
  const reading = openReading()
  for (const [name, value] of Object.entries(variables)) {
    if (value !== undefined) readVariable(reading, names, { name, value, place: origin + name })
  }
  reading.faults.push(...contradictions(reading.entries))
  return reading
}

function readVariable(reading: OpenReading, names: VariableNames, variable: Variable): void {
  const path = names.pathOf(variable.name)
  if (path === undefined) return judgeUnknown(reading, names, variable)
  const schema = settingAt(path) ?? {}
  const isEmpty = variable.value.trim() === ''
  if (isEmpty && schema.emptyMeansOff !== true) return
  addText(reading, { path, place: variable.place, subject: '', value: variable.value }, schema)
}

function judgeUnknown(reading: OpenReading, names: VariableNames, { name, place }: Variable): void {
  if (isOfGuideOnly(name)) {
    reading.warnings.push(`${place} has no effect here`)
    return
  }
  if (!looksLikeOurs(name)) return
  reading.warnings.push(`${place} is no setting of this service${didYouMean(nearest(name, names.known))}`)
}

/** Two variables of one source that stand for one setting must agree. */
function contradictions(entries: readonly Entry[]) {
  return entries.flatMap((entry, index) => {
    const other = entries.slice(0, index).find(({ path }) => isDeepStrictEqual(path, entry.path))
    if (other === undefined || isDeepStrictEqual(other.value, entry.value)) return []
    return [faultOf(entry, `says something else than ${other.place}; set one of them`)]
  })
}
