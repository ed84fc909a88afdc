import { type ChildProcess, fork } from 'node:child_process'

/** A process of a benchmark's own. It goes when its channel to us is closed. */
export interface Child {
  readonly pid: number
  /** The one message that it sends. Rejects when it ends without, takes too long or is not wanted any more. */
  readonly told: Promise<unknown>
  /** Closes the channel and waits until it has ended; one that stays is killed. */
  end(): Promise<void>
}

interface ChildOptions {
  /** For its message. */
  readonly limitMs: number
  readonly signal: AbortSignal
  readonly execArgv?: readonly string[]
}

const graceMs = 5_000

/** Starts a module with `task` as JSON in its first argument. */
export function startChild(module: URL, task: unknown, options: ChildOptions): Child {
  // nothing of the environment (proxies, keys, Node's options) may differ from run to run
  const child = fork(module, [JSON.stringify(task)], {
    env: { PATH: process.env['PATH'] },
    execArgv: [...(options.execArgv ?? [])],
  })
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  const told = firstMessage(child, options)
  told.catch(() => {})
  return {
    pid: child.pid ?? 0,
    told,
    end: async () => {
      if (child.connected) child.disconnect()
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
      await ended
      clearTimeout(timer)
    },
  }
}

function firstMessage(child: ChildProcess, { limitMs, signal }: ChildOptions): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  const late = new Error(`It took longer than ${Math.round(limitMs / 1_000)} s.`)
  const timer = setTimeout(() => reject(late), limitMs)
  const onAbort = (): void => reject(new Error('Stopped.'))
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  child.once('message', resolve)
  child.once('error', reject)
  child.once('exit', (code, killedBy) => reject(new Error(`It ended with ${code ?? killedBy} and told nothing.`)))
  return promise.finally(() => {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  })
}
