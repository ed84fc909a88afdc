import { readFileSync } from 'node:fs'

/** Memory of a process that is resident, in KB, as the operating system counts it. */
export function residentKb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(status)
  if (found?.[1] === undefined) throw new Error(`Nothing is known of the memory of process ${pid}.`)
  return Number(found[1])
}
