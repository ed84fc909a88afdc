import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text as readBody } from 'node:stream/consumers'
import type { FollowedStream } from './followed-stream.ts'
import { createFrameJournal, eventTypes } from './followed-stream.ts'
import { onPath } from './on-path.ts'

/** What the page tells of itself. */
type Told =
  | { readonly kind: 'open' }
  | { readonly kind: 'over' }
  | { readonly kind: 'event'; readonly id: string; readonly event: string; readonly data: string }
  | { readonly kind: 'asked'; readonly status: number; readonly correlationId: string | null }

/** A page of another origin, which tells its own server what it hears. */
export interface FollowingPage {
  /** Origin that the service has to allow. */
  readonly origin: string
  /** Opens the page in the browser; the stream has to be under another origin. */
  follow(url: string): Promise<FollowedStream>
  /** What a request with a header of its own, hence with a preflight, was answered; null before. */
  asked(): { readonly status: number; readonly correlationId: string | null } | null
  close(): Promise<void>
}

/** Nothing of a person's browser, and no connection but to this machine. */
const flags = `--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run
  --no-default-browser-check --disable-background-networking --disable-component-update --disable-sync
  --disable-extensions`
  .split(/\s+/)
  .concat('--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1')

function pageFor(url: string): string {
  return `<!doctype html><title>Follows</title><script>
    const told = []
    let sending = false
    const send = async () => {
      if (sending || told.length === 0) return
      sending = true
      await fetch('/told', { method: 'POST', body: JSON.stringify(told.splice(0)) })
      sending = false
      send()
    }
    const tell = (what) => { told.push(what); send() }
    const source = new EventSource(${JSON.stringify(url)})
    source.onopen = () => tell({ kind: 'open' })
    source.onerror = () => { if (source.readyState === EventSource.CLOSED) tell({ kind: 'over' }) }
    for (const event of ${JSON.stringify(eventTypes)}) {
      source.addEventListener(event, ({ lastEventId, data }) => tell({ kind: 'event', id: lastEventId, event, data }))
    }
    fetch(new URL('/workflows?limit=1', ${JSON.stringify(url)}), { headers: { 'X-Correlation-Id': 'a-page' } }).then(
      (answer) => tell({ kind: 'asked', status: answer.status, correlationId: answer.headers.get('x-correlation-id') }),
      () => tell({ kind: 'asked', status: 0, correlationId: null }),
    )
  </script>`
}

/** Serves a page with a real EventSource, and opens it in headless Chromium. */
export async function createFollowingPage(): Promise<FollowingPage> {
  const { journal, take } = createFrameJournal()
  const over = Promise.withResolvers<void>()
  const profile = await mkdtemp(join(tmpdir(), 'chromium-'))
  let connections = 0
  let asked: ReturnType<FollowingPage['asked']> = null
  let page = ''

  const hear = (told: Told) => {
    if (told.kind === 'event') take(told)
    else if (told.kind === 'open') connections += 1
    else if (told.kind === 'over') over.resolve()
    else asked = told
  }
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    if (request.method === 'POST') for (const told of JSON.parse(await readBody(request)) as Told[]) hear(told)
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(request.url === '/' ? page : '')
  }
  const server = createServer((request, response) => void serve(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  let browser: ReturnType<typeof spawn> | null = null

  const close = async () => {
    if (browser !== null && browser.exitCode === null && browser.signalCode === null) {
      const gone = once(browser, 'close')
      // it has a group of its own, with everything that it has started
      process.kill(-(browser.pid ?? 0), 'SIGKILL')
      await gone
    }
    server.closeAllConnections()
    server.close()
    // its children write for a moment after it has gone
    await rm(profile, { recursive: true, force: true, maxRetries: 10 })
  }
  return {
    origin,
    asked: () => asked,
    close,
    async follow(url) {
      const program = onPath('chromium')
      if (program === null) throw new Error('chromium is not installed')
      page = pageFor(url)
      const args = [...flags, `--user-data-dir=${profile}`, `${origin}/`]
      browser = spawn(program, args, { detached: true, stdio: 'ignore' })
      return { journal, connections: () => connections, over: over.promise, close }
    },
  }
}
