import { processorMs } from '../processor-time.ts'
import { threadMs } from '../thread-time.ts'
import { isOurs } from './contender.ts'
import type { Site } from './site.ts'

/** CPU time until some moment, as the operating system counts it, in steps of 10 ms. */
export interface CpuLook {
  readonly at: number
  readonly cpuMs: number
  readonly databaseMs: number
}

/** As Node names the threads of workers. */
const workerThread = 'WorkerThread'

/** Looks at the process under test and its database. */
export function lookAt({ contender, pid, databasePid }: Site): CpuLook {
  const cpuMs = processorMs(pid)
  if (cpuMs === null) throw new Error('CPU time is read from /proc, which is not there.')
  return { at: performance.now(), cpuMs, databaseMs: databaseMs() }

  function databaseMs(): number {
    if (databasePid !== null) return processorMs(databasePid) ?? 0
    return isOurs(contender) ? threadMs(pid, workerThread) : 0
  }
}
