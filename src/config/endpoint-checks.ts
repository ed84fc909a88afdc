import { findEntry, type CheckedSettings } from './checked-settings.ts'
import type { Fault } from './config-error.ts'
import { didYouMean, nearest } from './nearest.ts'
import { dotted, faultOf, type Entry } from './reading.ts'

const ENDPOINTS = 'llm.endpoints'

/** Applies the rules between model servers, and between them and the models that other settings name. */
export function checkEndpoints(checked: CheckedSettings): readonly Fault[] {
  return checked.invalid.has(ENDPOINTS) ? [] : [...checkNames(checked), ...checkModels(checked)]
}

function checkNames({ file, entries }: CheckedSettings): readonly Fault[] {
  const parts = findEntry(entries, ENDPOINTS)?.parts?.entries ?? []
  const names = file.llm.endpoints.map(({ name }) => name)
  return names.flatMap((name, index) => {
    const first = names.indexOf(name)
    const entry = findEntry(parts, dotted([ENDPOINTS, String(index), 'name']))
    return first === index || entry === undefined ? [] : [faultOf(entry, `is the name of endpoints[${first}] too`)]
  })
}

/** Only where every server's models are known: one that tells them itself may have any. */
function checkModels({ file, entries, invalid }: CheckedSettings): readonly Fault[] {
  const { endpoints } = file.llm
  if (endpoints.length === 0 || endpoints.some(({ models }) => models.length === 0)) return []
  const served = [...new Set(endpoints.flatMap(({ models }) => models))]
  return entries
    .filter((entry) => namesModel(entry) && !invalid.has(dotted(entry.path)))
    .map((entry) => ({ entry, model: String(entry.value) }))
    .filter(({ model }) => model !== '' && !served.includes(model))
    .map(({ entry, model }) =>
      faultOf(entry, `names ${model}, which no endpoint serves${didYouMean(nearest(model, served))}`),
    )
}

function namesModel({ path }: Entry): boolean {
  const isOfRole = path[0] === 'agents' && path.length === 3 && path[2] === 'model'
  return isOfRole || ['openai_api_model', 'llm.context_fallback_model'].includes(dotted(path))
}
