import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

import { readAnswers } from './answers.ts'
import { createChatView } from './chat-view.ts'
import { followWorkflow } from './event-client.ts'
import { startModelServer } from './model-server.ts'
import type { DemoOptions } from './options.ts'
import type { Palette } from './palette.ts'
import { scenarioFor } from './scenarios.ts'
import type { Scenario } from './scenarios.ts'
import { startService } from './service-process.ts'
import { ArtifactEntry, formatSummary, WorkflowResult } from './summary.ts'

/** Where the demo shows itself, and what it inherits. */
export interface DemoTerminal {
  readonly write: (text: string) => void
  /** Columns. */
  readonly width: number
  readonly palette: Palette
  readonly env: NodeJS.ProcessEnv
}

/** Signals of the user: `cancel` asks politely, `abort` ends at once. */
export interface DemoSignals {
  readonly cancel: AbortSignal
  readonly abort: AbortSignal
}

const SUGGESTED_LLM_URL = 'http://127.0.0.1:8080/v1'
const CANCEL_TIMEOUT_MS = 5_000
const ArtifactList = Type.Object({ data: Type.Array(ArtifactEntry) })

/**
 * Runs one workflow from start to summary and leaves nothing behind but the directory that `--keep` asks for.
 * Resolves with whether the workflow is completed; throws when something could not be started.
 */
export async function runDemo(options: DemoOptions, terminal: DemoTerminal, signals: DemoSignals): Promise<boolean> {
  const startedAt = performance.now()
  const directory = await mkdtemp(join(tmpdir(), 'multi-agent-demo-'))
  await using resources = new AsyncDisposableStack()
  resources.defer(async () => {
    if (options.keep) terminal.write(`The database and the log are in ${directory}\n`)
    else await rm(directory, { recursive: true, force: true, maxRetries: 3 })
  })
  const scenario = scenarioFor(options)
  writeHeader(scenario, options, terminal)

  const llm = options.llm ?? (await startScriptedModel(options.pace, resources))
  const signal = AbortSignal.any([signals.cancel, signals.abort])
  const service = await startService({ directory, llm, env: terminal.env, realModel: options.llm !== null, signal })
  const killService = () => service.kill()
  signals.abort.addEventListener('abort', killService)
  process.once('exit', killService)
  resources.defer(() => void process.removeListener('exit', killService))
  resources.defer(() => service.close())

  const id = await watchWorkflow({ baseUrl: service.baseUrl, scenario, terminal, signals })
  const elapsedMs = performance.now() - startedAt
  const [workflow, artifacts] = await readResult(`${service.baseUrl}/workflows/${id}`, signals.abort)
  const llmUrl = options.llm?.url ?? SUGGESTED_LLM_URL
  terminal.write(formatSummary({ workflow, artifacts, scenario, llmUrl, elapsedMs, palette: terminal.palette }))
  return workflow.status === 'completed'
}

async function startScriptedModel(pace: number, resources: AsyncDisposableStack) {
  const server = await startModelServer(await readAnswers(), pace)
  resources.defer(() => server.close())
  return server
}

function writeHeader(scenario: Scenario, options: DemoOptions, { write, width, palette }: DemoTerminal): void {
  const { llm, pace } = options
  const scripted = pace === 1 ? 'a scripted model at a human pace' : 'a scripted model'
  const model = llm === null ? scripted : `${llm.model ?? 'the first model'} at ${llm.url}`
  const rule = palette.dim('─'.repeat(Math.min(width, 100)))
  const indent = ' '.repeat(6)
  write(
    `${palette.bold('LLM Multi-Agent Service')} ${palette.dim(`· ${scenario.type} · ${model}`)}\n${rule}\n` +
      `${palette.dim('You')}   ${wrapWords(scenario.requirement, Math.min(width, 100) - indent.length).join(`\n${indent}`)}\n`,
  )
}

function wrapWords(text: string, width: number): readonly string[] {
  const lines: string[] = []
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

interface Watch {
  readonly baseUrl: string
  readonly scenario: Scenario
  readonly terminal: DemoTerminal
  readonly signals: DemoSignals
}

/** Follows the workflow to its end, cancels it when the user asks, and returns its id. */
async function watchWorkflow({ baseUrl, scenario, terminal, signals }: Watch): Promise<string> {
  const view = createChatView(terminal)
  let id = ''
  const cancel = () => {
    view.say('Cancelling the workflow. Press Ctrl-C again to stop at once.')
    if (id === '') return
    const url = `${baseUrl}/workflows/${id}/cancel`
    fetch(url, { method: 'POST', signal: AbortSignal.timeout(CANCEL_TIMEOUT_MS) }).catch((error: unknown) =>
      view.say(`It could not be cancelled: ${String(error)}`),
    )
  }
  signals.cancel.addEventListener('abort', cancel)
  try {
    await followWorkflow({
      baseUrl,
      body: scenario,
      signal: signals.abort,
      onReconnect: () => view.say('The stream was cut; taking it up where it was.'),
      onEvent(event) {
        const first = id === ''
        id = event.workflow_id
        view.show(event)
        if (first && signals.cancel.aborted) cancel()
      },
    })
  } finally {
    signals.cancel.removeEventListener('abort', cancel)
  }
  return id
}

async function readResult(url: string, signal: AbortSignal): Promise<[WorkflowResult, readonly ArtifactEntry[]]> {
  const workflow = Value.Parse(WorkflowResult, await readJson(url, signal))
  const { data } = Value.Parse(ArtifactList, await readJson(`${url}/artifacts`, signal))
  return [workflow, data]
}

async function readJson(url: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(url, { signal })
  if (!response.ok) throw new Error(`${url} answered ${response.status}.`)
  return response.json()
}
