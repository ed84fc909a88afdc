import { cpus } from 'node:os'
import { parseArgs } from 'node:util'

import { postgresForTests } from '../contract/postgres-server.ts'
import { openCluster } from '../support/process-cluster.ts'
import { measureLag } from './measure-lag.ts'
import type { Lags } from './measure-lag.ts'

/** `npm run test:lag`: how far readers on the running replica and on another one are behind the model. */
const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '10' },
    rate: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '10' },
    readers: { type: 'string', default: '1' },
  },
})

function busyMs(): { readonly busy: number; readonly all: number } {
  const times = cpus().map(({ times: { user, nice, sys, irq, idle } }) => ({ busy: user + nice + sys + irq, idle }))
  const busy = times.reduce((sum, one) => sum + one.busy, 0)
  return { busy, all: times.reduce((sum, one) => sum + one.idle, busy) }
}

function show(name: string, { lagsMs, cpuMs }: Lags, seconds: number): string {
  const sorted = lagsMs.toSorted((a, b) => a - b)
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN).toFixed(1)
  const cpu = ((cpuMs / seconds / 1000) * 100).toFixed(0)
  return `${name}: ${sorted.length} tokens, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms; its process ${cpu} % of a core\n`
}

const server = await postgresForTests()
if (server === null) throw new Error('There is no Postgres to measure on.')
const site = await openCluster(await server.createDatabase())
try {
  const options = {
    streams: Number(values.streams),
    tokensPerSecond: Number(values.rate),
    seconds: Number(values.seconds),
    readers: Number(values.readers),
  }
  const before = busyMs()
  const { local, far } = await measureLag(site, options)
  const after = busyMs()
  const share = ((after.busy - before.busy) / (after.all - before.all)) * 100
  process.stdout.write(`${JSON.stringify(options)}\n`)
  process.stdout.write(show('reader where it runs', local, options.seconds))
  process.stdout.write(show('reader elsewhere', far, options.seconds))
  process.stdout.write(`all processors ${share.toFixed(0)} % busy, starts included\n`)
} finally {
  await site.close()
  await server.stop()
}
