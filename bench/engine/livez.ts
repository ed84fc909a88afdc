import { Agent, get } from 'node:http'

/** How long an answer to `GET /livez` took, and when it was asked for; Infinity: there was none. */
export interface LivezAnswer {
  readonly at: number
  readonly ms: number
}

/** Asks a service again and again, from another process than its own. */
export interface LivezWatch {
  /** Answers so far. */
  answers(): readonly LivezAnswer[]
  stop(): void
}

const everyMs = 20
const limitMs = 10_000

/** Begins to ask; until the service listens, nothing comes of it. */
export function watchLivez(port: number): LivezWatch {
  const agent = new Agent({ keepAlive: true })
  const answers: LivezAnswer[] = []
  const ask = () => {
    const at = performance.timeOrigin + performance.now()
    const begunAt = performance.now()
    const signal = AbortSignal.timeout(limitMs)
    const request = get({ agent, host: '127.0.0.1', port, path: '/livez', signal }, (response) => {
      response.resume().once('end', () => answers.push({ at, ms: performance.now() - begunAt }))
    })
    request.once('error', () => answers.push({ at, ms: Number.POSITIVE_INFINITY }))
  }
  const timer = setInterval(ask, everyMs)
  return {
    answers: () => answers,
    stop() {
      clearInterval(timer)
      agent.destroy()
    },
  }
}
