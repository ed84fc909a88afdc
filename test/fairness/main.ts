import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { formatTable } from '../../bench/table.ts'
import type { Reported } from './size.ts'

const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url))
const { values } = parseArgs({ options: { backlog: { type: 'string', default: '1000' } } })

/** Runs the tests of this folder at the size asked for; they leave here what they have seen. */
async function simulate(path: string): Promise<{ readonly isKept: boolean; readonly output: string }> {
  const env = { ...process.env, FAIRNESS_BACKLOG: values.backlog, FAIRNESS_REPORT: path, NO_COLOR: '1' }
  const run = spawn(process.execPath, [vitest, 'run', 'test/fairness'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  run.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const [code] = (await once(run, 'close')) as [number | null]
  return { isKept: code === 0, output }
}

function rowsOf(lines: readonly Reported[], database: string): readonly (readonly string[])[] {
  const rows: string[][] = []
  let last = ''
  for (const { scenario, what, promised, seen, isKept } of lines.filter((line) => line.database === database)) {
    if (scenario !== last) rows.push([scenario])
    last = scenario
    rows.push([`  ${what}`, promised, String(seen), isKept ? 'kept' : 'BROKEN'])
  }
  return rows
}

const directory = await mkdtemp(join(tmpdir(), 'fairness-'))
try {
  const path = join(directory, 'report')
  process.stdout.write(`Backlogs of ${values.backlog} workflows over the real queue; this takes some minutes.\n`)
  const { isKept, output } = await simulate(path)
  const text = existsSync(path) ? await readFile(path, 'utf8') : ''
  const lines = text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Reported]))
  for (const database of new Set(lines.map((line) => line.database)))
    process.stdout.write(`\n${formatTable([database, 'promised', 'seen', ''], rowsOf(lines, database))}\n`)
  if (!isKept) process.stdout.write(`\n${output}`)
  process.exitCode = isKept ? 0 : 1
} finally {
  await rm(directory, { recursive: true, force: true })
}
