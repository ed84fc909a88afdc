import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startServiceProcess } from '../support/service-process.ts'
import type { Environment, LogLine, ServiceProcess } from '../support/service-process.ts'
import type { History } from './history.ts'

/** One place of the service: processes run there one after the other. */
export interface Replica {
  readonly name: string
  /** Where it listens, or listened as long as it runs; null: nobody is there. */
  url(): string | null
  /** It runs, is ready to be asked, and is neither frozen nor about to end. */
  isFit(): boolean
  isFrozen(): boolean
  /** Starts a process, unless one runs. */
  start(): void
  /** SIGKILL, at once. */
  kill(): Promise<void>
  /** SIGTERM; resolves when it has gone. */
  terminate(): Promise<void>
  freeze(): void
  thaw(): void
  /** Resolves when it is ready. Rejects when it has ended before. */
  ready(): Promise<void>
  /** What it did that nobody had asked for. */
  faults(): readonly string[]
  log(): readonly LogLine[]
  /** Writes everything that its processes have said into a folder, one file for each. */
  writeLogs(folder: string): Promise<void>
}

export interface ReplicaParts {
  readonly name: string
  readonly directory: string
  readonly env: Environment
  readonly history: History
  /** When it is aborted no process is started any more. */
  readonly stop: AbortSignal
}

type Phase = 'starting' | 'up' | 'frozen' | 'ending' | 'gone'

interface Life {
  readonly service: ServiceProcess
  phase: Phase
  url: string | null
  wasKilled: boolean
}

/** A replica that nobody has started yet. */
export function createReplica({ name, directory, env, history, stop }: ReplicaParts): Replica {
  const lives: Life[] = []
  const faults: string[] = []
  const current = (): Life | undefined => lives.at(-1)
  const note = (text: string): void => history.note(`${name}#${lives.length} ${text}`)

  const watch = async (life: Life): Promise<void> => {
    life.service.listening.then(
      (url) => void Object.assign(life, { url }, life.phase === 'starting' ? { phase: 'up' } : {}),
      () => undefined,
    )
    const { code, signal } = await life.service.ended
    if (life.phase !== 'ending') faults.push(`${name} ended by itself: ${code ?? signal}`)
    Object.assign(life, { phase: 'gone', url: null })
    note(`has ended: ${code ?? signal}`)
  }
  const end = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
    const life = current()
    if (life === undefined || life.phase === 'gone') return
    note(signal)
    life.phase = 'ending'
    life.wasKilled ||= signal === 'SIGKILL'
    life.service.signal(signal)
    const { code } = await life.service.ended
    if (!life.wasKilled && code !== 0) faults.push(`${name} ended with ${code} after SIGTERM`)
  }

  return {
    name,
    url: () => current()?.url ?? null,
    isFit: () => current()?.phase === 'up',
    isFrozen: () => current()?.phase === 'frozen',
    start() {
      if (stop.aborted || (current() !== undefined && current()?.phase !== 'gone')) return
      const service = startServiceProcess({ directory, env })
      const life: Life = { service, phase: 'starting', url: null, wasKilled: false }
      lives.push(life)
      note(`starts as ${life.service.pid}`)
      void watch(life)
    },
    kill: () => end('SIGKILL'),
    terminate: () => end('SIGTERM'),
    freeze() {
      const life = current()
      if (life?.phase !== 'up') return
      life.phase = 'frozen'
      life.service.signal('SIGSTOP')
      note('SIGSTOP')
    },
    thaw() {
      const life = current()
      if (life?.phase !== 'frozen') return
      life.phase = 'up'
      life.service.signal('SIGCONT')
      note('SIGCONT')
    },
    async ready() {
      await current()?.service.ready()
    },
    faults: () => faults,
    log: () => lives.flatMap(({ service }) => service.log()),
    async writeLogs(folder) {
      for (const [index, { service }] of lives.entries()) {
        await writeFile(join(folder, `${name}-${index + 1}.log`), service.stdout() + service.stderr())
      }
    },
  }
}
