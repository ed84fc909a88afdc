import { setTimeout as delay } from 'node:timers/promises'
import type { Pick } from '../nemesis/cluster.ts'
import type { EventJournal } from '../smoke/event-journal.ts'
import type { Fleet } from './fleet.ts'
import { type Finding, judgeRest, judgeSamples } from './judge.ts'
import { type FleetSample, takeSample } from './samples.ts'
import { readOverCuts, type ReaderCounts } from './soak-reader.ts'

export interface SoakPlan {
  readonly forMs: number
  /** At the same time. */
  readonly workflows: number
  readonly readersEach: number
}

export interface SoakParts {
  readonly fleet: Fleet
  readonly pick: Pick
  readonly progress: (line: string) => void
  readonly stop: AbortSignal
}

/** What came of it. */
export interface SoakOutcome {
  readonly findings: readonly Finding[]
  readonly summary: string
}

const everyMs = 5_000
const restLimitMs = 15_000
/** Parts of the time after which one replica leaves in order, and another is killed. */
const [restartAfter, killAfter] = [0.15, 0.3]

interface Run {
  readonly counts: ReaderCounts
  readonly faults: string[]
  readonly samples: FleetSample[]
  readonly begunAt: number
  readonly over: AbortController
  workflows: number
  characters: number
}

/** Keeps the workflows and their readers going, disturbs them, and looks whether anything is left behind. */
export async function runSoak(plan: SoakPlan, parts: SoakParts): Promise<SoakOutcome> {
  const counts = { connections: 0, cuts: 0, kills: 0 }
  const begunAt = performance.now()
  const run: Run = {
    counts,
    faults: [],
    samples: [],
    begunAt,
    over: new AbortController(),
    workflows: 0,
    characters: 0,
  }
  const before = await sampleAll(parts, run)
  const watching = watch(parts, run)
  const disturbing = disturb(plan, parts, run)
  const slots = Array.from({ length: plan.workflows }, () => keepOneGoing(plan, parts, run))
  await Promise.all(slots)
  await disturbing
  run.over.abort()
  await watching
  const rest = await untilAtRest(parts, run, before)
  const exact: Finding = {
    what: 'every reader exact',
    seen: run.faults.length === 0 ? `${run.workflows * plan.readersEach} of them` : run.faults.slice(0, 5).join('; '),
    holds: run.faults.length === 0 && run.workflows > 0,
  }
  return { findings: [exact, ...judgeSamples(run.samples), ...rest], summary: summaryOf(run) }
}

async function keepOneGoing({ forMs, readersEach }: SoakPlan, parts: SoakParts, run: Run): Promise<void> {
  while (performance.now() - run.begunAt < forMs && !parts.stop.aborted) {
    const id = await start(parts)
    const readers = Array.from({ length: readersEach }, () => readOverCuts({ ...parts, counts: run.counts }, id))
    const journals = await Promise.all(readers)
    const outputs = await outputsOf(parts, id)
    for (const journal of journals) run.faults.push(...faultsOf(journal, outputs).map((fault) => `${id}: ${fault}`))
    run.workflows += 1
    run.characters += journals.length * Object.values(outputs).reduce((sum, { length }) => sum + length, 0)
  }
}

const steps = [
  { id: 'first', role: 'developer', task: 'Talk.' },
  { id: 'second', role: 'technical_writer', task: 'Talk on.', depends_on: ['first'] },
]

async function start({ fleet, pick }: SoakParts): Promise<string> {
  for (;;) {
    const headers = { 'content-type': 'application/json', connection: 'close' }
    const body = JSON.stringify({ type: 'custom', requirement: 'Talk for a while.', steps })
    const url = `${await fleet.anyUrl(pick)}/workflows`
    const answer = await fetch(url, { method: 'POST', headers, body }).catch(() => null)
    if (answer?.status === 202) return ((await answer.json()) as { readonly id: string }).id
    await delay(100)
  }
}

async function outputsOf({ fleet, pick }: SoakParts, id: string): Promise<Readonly<Record<string, string>>> {
  for (;;) {
    const url = `${await fleet.anyUrl(pick)}/workflows/${id}`
    const answer = await fetch(url, { headers: { connection: 'close' } }).catch(() => null)
    if (answer?.status === 200) {
      const { steps: done } = (await answer.json()) as {
        readonly steps: readonly { id: string; output: string | null }[]
      }
      return Object.fromEntries(done.map((step) => [step.id, step.output ?? '']))
    }
    await delay(100)
  }
}

function faultsOf(journal: EventJournal, outputs: Readonly<Record<string, string>>): readonly string[] {
  const kept = journal.kept()
  const wrong = Object.keys(outputs).filter((step) => kept[step] !== outputs[step] || outputs[step] === '')
  const end = journal.lifecycle().at(-1)?.type
  return [
    ...journal.faults(),
    ...wrong.map((step) => `the deltas of ${step} are not its output`),
    ...(end === 'workflow.completed' ? [] : [`it ended with ${end}`]),
  ]
}

async function disturb({ forMs }: SoakPlan, { fleet, progress, stop }: SoakParts, run: Run): Promise<void> {
  const [first, second] = fleet.members
  const wait = (part: number) => {
    const leftMs = Math.max(0, part * forMs - (performance.now() - run.begunAt))
    return delay(leftMs, undefined, { signal: stop }).catch(() => undefined)
  }
  await wait(restartAfter)
  progress(`${first?.name} leaves in order and comes back`)
  await first?.restart()
  await wait(killAfter)
  progress(`${second?.name} is killed and comes back`)
  await second?.replace()
}

async function watch(parts: SoakParts, run: Run): Promise<void> {
  while (!run.over.signal.aborted) {
    await delay(everyMs, undefined, { signal: run.over.signal }).catch(() => undefined)
    run.samples.push(...(await sampleAll(parts, run)))
    const minutes = ((performance.now() - run.begunAt) / 60_000).toFixed(1)
    if (run.samples.length % 24 === 0) parts.progress(`${minutes} minutes: ${summaryOf(run)}`)
  }
}

async function sampleAll({ fleet }: SoakParts, run: Run): Promise<readonly FleetSample[]> {
  const samples = fleet.members.map(async (member) => {
    const url = member.url()
    const about = { replica: member.name, pid: member.pid(), atMs: performance.now() - run.begunAt }
    return url === null ? null : takeSample(url, about)
  })
  return (await Promise.all(samples)).filter((sample) => sample !== null)
}

/** What was used may take its time to go: kept-alive connections to the model server, for one. */
async function untilAtRest(parts: SoakParts, run: Run, before: readonly FleetSample[]): Promise<readonly Finding[]> {
  const until = performance.now() + restLimitMs
  for (;;) {
    const now = await sampleAll(parts, run)
    const findings = now.flatMap((after) => {
      const same = before.find(({ replica }) => replica === after.replica)
      return same === undefined ? [] : judgeRest(same, after)
    })
    if (findings.every(({ holds }) => holds) || performance.now() > until) return findings
    await delay(250)
  }
}

function summaryOf({ workflows, characters, counts }: Run): string {
  const { connections, cuts, kills } = counts
  return `${workflows} workflows, ${characters} characters read; ${connections} connections, ${cuts} cut, ${kills} vanished`
}
