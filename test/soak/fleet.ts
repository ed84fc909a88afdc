import { setTimeout as delay } from 'node:timers/promises'
import type { Pick } from '../nemesis/cluster.ts'
import { type Environment, startServiceProcess } from '../support/service-process.ts'

/** One place of the service, where processes run one after the other. */
export interface FleetMember {
  readonly name: string
  /** null: nobody listens. */
  url(): string | null
  pid(): number
  /** SIGTERM and a new process. */
  restart(): Promise<void>
  /** SIGKILL and a new process. */
  replace(): Promise<void>
  /** SIGTERM; resolves with what it had to say beside its log and how it ended. */
  leave(): Promise<{ readonly code: number | null; readonly stderr: string }>
}

/** Some replicas on one database. */
export interface Fleet {
  readonly members: readonly FleetMember[]
  /** Address of one that listens; waits until there is one. */
  anyUrl(pick: Pick): Promise<string>
  /** Takes what is left of them away. */
  kill(): Promise<void>
}

const lookMs = 30

/** Starts so many replicas and waits until they take work. */
export async function startFleet(
  count: number,
  { directory, env }: { readonly directory: string; readonly env: Environment },
): Promise<Fleet> {
  const members = Array.from({ length: count }, (_, index) => createMember(`replica${index + 1}`, { directory, env }))
  await Promise.all(members.map((member) => member.ready()))
  return {
    members,
    async anyUrl(pick) {
      for (;;) {
        const urls = members.map((member) => member.url()).filter((url) => url !== null)
        const url = urls[pick(0, urls.length - 1)]
        if (url !== undefined) return url
        await delay(lookMs)
      }
    },
    kill: async () => void (await Promise.all(members.map((member) => member.kill()))),
  }
}

function createMember(
  name: string,
  options: { readonly directory: string; readonly env: Environment },
): FleetMember & { ready(): Promise<void>; kill(): Promise<void> } {
  let service = startServiceProcess(options)
  let url: string | null = null
  const errors: string[] = []
  const ready = async () => {
    await service.ready()
    url = await service.listening
  }
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    const current = service
    url = null
    current.signal(signal)
    const { code } = await current.ended
    errors.push(current.stderr())
    return code
  }
  const again = async (signal: 'SIGTERM' | 'SIGKILL') => {
    await end(signal)
    service = startServiceProcess(options)
    await ready()
  }
  return {
    name,
    ready,
    url: () => url,
    pid: () => service.pid,
    restart: () => again('SIGTERM'),
    replace: () => again('SIGKILL'),
    leave: async () => ({ code: await end('SIGTERM'), stderr: errors.join('') }),
    kill: () => service.kill(),
  }
}
