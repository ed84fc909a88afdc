import { parseArgs } from 'node:util'
import { preparedForTests, temporaryDirectory } from '../support/database.ts'
import { startModelServer } from '../support/fault-server.ts'
import { startServiceProcess } from '../support/service-process.ts'
import { runFuzz } from './run-fuzz.ts'

/** `npm run test:fuzz`: generated requests to every route of a real process; exit code 1 when an answer is wrong. */
const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '20000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
  },
})

await preparedForTests()
const model = await startModelServer({ answer: () => ({ text: 'Done.\n```text:a.txt\nhello\n```\n' }) })
const { path, remove } = await temporaryDirectory()
const service = startServiceProcess({
  directory: path,
  env: { OPENAI_API_BASE: model.url, MAX_CONCURRENT_AGENTS: '20' },
})
try {
  await service.ready()
  const seed = Number(values.seed)
  process.stdout.write(`seed ${seed}\n`)
  const { faults, statuses, unserved } = await runFuzz({
    url: await service.listening,
    seed,
    requests: Number(values.requests),
    onProgress: (done) => process.stdout.write(`${done} requests\n`),
  })
  const counts = [...statuses].toSorted(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`)
  process.stdout.write(`${counts.join('  ')}\nnever served: ${unserved.join(', ')}\n`)
  for (const fault of faults) process.stdout.write(`${fault}\n`)
  const errors = service.log().filter(({ level, error_code: code }) => {
    return level === 'CRITICAL' || (level === 'ERROR' && (code === undefined || code === 'internal'))
  })
  for (const line of errors) process.stdout.write(`${JSON.stringify(line)}\n`)
  process.stdout.write(`${faults.length} faults, ${errors.length} lines of errors\n`)
  process.exitCode = faults.length + errors.length > 0 ? 1 : 0
} finally {
  await service.kill()
  await model.close()
  await remove()
}
