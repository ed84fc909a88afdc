import { randomUUIDv7 } from 'node:crypto'

/** A new id with a UUIDv7 inside, so that ids sort by the time they were made. */
export function newId(prefix: 'wf' | 'task' | 'call'): string {
  return `${prefix}_${randomUUIDv7().replaceAll('-', '')}`
}
