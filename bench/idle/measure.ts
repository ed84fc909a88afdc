import { pause } from '../pause.ts'
import { processorMs } from '../processor-time.ts'
import { residentKb } from '../process-memory.ts'
import { openIdleStreams } from './idle-streams.ts'

/** What is measured and how. */
export interface IdleTask {
  readonly what: 'cpu' | 'memory'
  readonly url: string
  readonly pid: number
  /** Of streams, which share them evenly. */
  readonly paths: readonly string[]
  readonly streams: number
  readonly windowMs: number
}

/** Memory of the process: what is resident of all, and what its JavaScript uses, buffers included. */
export interface MemoryLook {
  readonly residentKb: number
  readonly heapKb: number
}

/** What was seen of processor time. */
export interface CpuSample {
  /** As a share of one core, without and with the streams. */
  readonly idleCpu: number
  readonly openCpu: number
  readonly heartbeats: number
  readonly openingMs: number
}

/** What was seen of memory: before and with the streams, and when they have left, each time after a collection. */
export interface MemorySample {
  readonly before: MemoryLook
  readonly during: MemoryLook
  readonly after: MemoryLook
}

const warmUpStreams = 200
const idleWindowMs = 3_000
const settleMs = 5_000
const collectMs = 1_000

/** Looks at the processor time of the service without streams, opens them, looks again. */
export async function measureCpu(task: IdleTask): Promise<CpuSample> {
  const { url, paths, streams, windowMs } = task
  await warmUp(task)
  const idleCpu = await cpuShare(task, idleWindowMs)
  const begunAt = performance.now()
  const open = await openIdleStreams(url, paths, streams)
  const openingMs = performance.now() - begunAt
  // garbage of the opening is collected by and by
  await pause(settleMs)
  const before = open.heartbeats()
  const openCpu = await cpuShare(task, windowMs)
  if (open.ended() > 0) throw new Error(`${open.ended()} streams ended by themselves.`)
  return { idleCpu, openCpu, openingMs, heartbeats: open.heartbeats() - before }
}

/** The same for memory. It wants a process of its own: after a collection that was asked for, V8 goes on collecting. */
export async function measureMemory(task: IdleTask): Promise<MemorySample> {
  await warmUp(task)
  const before = await collected(task)
  const open = await openIdleStreams(task.url, task.paths, task.streams)
  const during = await collected(task)
  await open.leave()
  return { before, during, after: await collected(task) }
}

async function warmUp({ url, paths }: IdleTask): Promise<void> {
  const warm = await openIdleStreams(url, paths, warmUpStreams)
  await warm.leave()
}

async function cpuShare({ pid }: IdleTask, windowMs: number): Promise<number> {
  const begun = { at: performance.now(), cpuMs: processorMs(pid) ?? 0 }
  await pause(windowMs)
  return ((processorMs(pid) ?? 0) - begun.cpuMs) / (performance.now() - begun.at)
}

/** The process collects at the signal; what it frees goes back to the operating system a little later. */
async function collected({ pid, url }: IdleTask): Promise<MemoryLook> {
  for (let times = 0; times < 2; times += 1) {
    process.kill(pid, 'SIGWINCH')
    await pause(collectMs)
    await (await fetch(`${url}/livez`)).text()
  }
  return { residentKb: residentKb(pid), heapKb: await heapKb(url) }
}

const usedMemory = /^nodejs_(?:heap_size_used|external_memory)_bytes (\S+)$/gm

async function heapKb(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text()
  return [...metrics.matchAll(usedMemory)].reduce((sum, [, bytes]) => sum + Number(bytes) / 1_024, 0)
}
