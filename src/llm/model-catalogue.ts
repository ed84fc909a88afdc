import { AppError } from '../errors.ts'
import { countOf, fieldsOf, textOf } from './json-fields.ts'
import { wellFormed } from './well-formed-text.ts'

/** What an endpoint told about itself. */
export interface Survey {
  readonly ok: boolean
  readonly detail: string
  /** Models that it lists, in its order. */
  readonly models: readonly string[]
  /** Tokens of context per model, where it tells. */
  readonly windows: ReadonlyMap<string, number>
  /** Tokens of context of whatever it serves: llama.cpp has one model. */
  readonly commonWindow: number | null
}

/** A JSON document of the endpoint by a path relative to its base URL; rejects with an `AppError`. */
export type GetDocument = (path: string) => Promise<unknown>

const mostModels = 2_000
const longestNameLength = 300

/**
 * Asks `/models` and, where the list does not tell the window, llama.cpp's `/props` or what Ollama and LM Studio tell of
 * the models that they have loaded. Never rejects.
 */
export async function surveyEndpoint(get: GetDocument): Promise<Survey> {
  try {
    const listed = await listModels(get)
    if (listed.models.every((model) => listed.windows.has(model))) return { ...listed, commonWindow: null }
    const commonWindow = await commonWindowOf(get)
    if (commonWindow !== null) return { ...listed, commonWindow }
    return { ...listed, windows: new Map([...(await loadedWindowsOf(get)), ...listed.windows]), commonWindow }
  } catch (error) {
    const detail = error instanceof AppError ? error.message : 'The model server could not be asked.'
    return { ok: false, detail, models: [], windows: new Map(), commonWindow: null }
  }
}

async function listModels(get: GetDocument): Promise<Omit<Survey, 'commonWindow'>> {
  try {
    const rows = rowsOf(await get('models'))
    const models = rows.map(({ id }) => id)
    const windows = new Map(rows.flatMap(({ id, window }) => (window === null ? [] : [[id, window] as const])))
    return { ok: true, detail: models.length === 1 ? '1 model' : `${models.length} models`, models, windows }
  } catch (error) {
    // a server without such a list is well all the same
    if (!(error instanceof AppError) || (error.details.status !== 404 && error.details.status !== 405)) throw error
    return { ok: true, detail: 'It lists no models.', models: [], windows: new Map() }
  }
}

function rowsOf(document: unknown): readonly { readonly id: string; readonly window: number | null }[] {
  const { data } = fieldsOf(document)
  const rows: readonly unknown[] = Array.isArray(data) ? data.slice(0, mostModels) : []
  return rows.flatMap((row) => {
    const id = textOf(fieldsOf(row)['id']) ?? ''
    return id === '' || id.length > longestNameLength ? [] : [{ id: wellFormed(id), window: windowOf(row) }]
  })
}

// vLLM, OpenRouter, LM Studio, llama.cpp; n_ctx_train is what the model was made for, not what it runs with
function windowOf(row: unknown): number | null {
  const fields = fieldsOf(row)
  const named = [
    fields['max_model_len'],
    fields['loaded_context_length'],
    fields['context_length'],
    fields['context_window'],
    fields['n_ctx'],
    fieldsOf(fields['meta'])['n_ctx'],
  ]
  return named.map((value) => countOf(value)).find((tokens) => tokens !== null && tokens > 0) ?? null
}

async function commonWindowOf(get: GetDocument): Promise<number | null> {
  try {
    const props = fieldsOf(await get('../props'))
    return countOf(fieldsOf(props['default_generation_settings'])['n_ctx']) || null
  } catch {
    return null
  }
}

async function loadedWindowsOf(get: GetDocument): Promise<ReadonlyMap<string, number>> {
  const [ollama, lmStudio] = await Promise.all([
    rowsAt(get, { path: '../api/ps', list: 'models' }),
    rowsAt(get, { path: '../api/v0/models', list: 'data' }),
  ])
  const told = [
    ...ollama.map((row) => [row['name'], row['context_length']] as const),
    ...lmStudio.map((row) => [row['id'], row['loaded_context_length']] as const),
  ]
  return new Map(
    told.flatMap(([name, tokens]) => (textOf(name) && countOf(tokens) ? [[name, tokens] as [string, number]] : [])),
  )
}

async function rowsAt(get: GetDocument, { path, list }: { readonly path: string; readonly list: string }) {
  try {
    const rows = fieldsOf(await get(path))[list]
    return Array.isArray(rows) ? rows.slice(0, mostModels).map((row: unknown) => fieldsOf(row)) : []
  } catch {
    return []
  }
}
