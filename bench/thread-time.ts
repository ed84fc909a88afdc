import { readdirSync, readFileSync } from 'node:fs'

const millisecondsPerTick = 10
const nanosecondsPerMs = 1_000_000

/** Milliseconds of CPU that the threads of a process with that name have used; those that have ended are not counted. */
export function threadMs(pid: number, name: string): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  const ticks = threads.reduce((sum, thread) => sum + ticksOf(`/proc/${pid}/task/${thread}/stat`, name), 0)
  return ticks * millisecondsPerTick
}

function ticksOf(path: string, name: string): number {
  const text = readFileSync(path, 'utf8')
  const end = text.lastIndexOf(')')
  if (text.slice(text.indexOf('(') + 1, end) !== name) return 0
  const fields = text.slice(end + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}

/** Milliseconds of CPU that the threads of a process which still live have used, to the nanosecond. */
export function preciseMs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  const spent = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
  return spent.reduce((sum, nanoseconds) => sum + Number(nanoseconds) / nanosecondsPerMs, 0)
}
