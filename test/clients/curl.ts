import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { createParser } from 'eventsource-parser'
import type { FollowedStream } from './followed-stream.ts'
import { createFrameJournal } from './followed-stream.ts'

const comeBackMs = 200
const leftEarly = new Set([
  7, // nobody listens
  18, // the body ended without its final chunk
  52, // no answer
  56, // the connection was reset
])

/** `curl -N` in a loop, as a shell script would have it: its exit code tells whether the stream has really ended. */
export function followWithCurl(url: string): FollowedStream {
  const { journal, take } = createFrameJournal()
  let connections = 0
  let child: ChildProcess | null = null
  let closed = false

  const runOnce = async (): Promise<number> => {
    const cursor = journal.cursor()
    const goOn = cursor === null ? [] : ['-H', `Last-Event-ID: ${cursor}`]
    const headers = ['-H', 'Accept: text/event-stream', ...goOn]
    const running = spawn('curl', ['-sN', '--fail', ...headers, url], { stdio: ['ignore', 'pipe', 'ignore'] })
    child = running
    const parser = createParser({ onEvent: take })
    running.stdout.setEncoding('utf8').once('data', () => (connections += 1))
    running.stdout.on('data', (text: string) => parser.feed(text))
    const [code] = (await once(running, 'close')) as [number | null]
    return code ?? -1
  }
  const readToEnd = async () => {
    while (!closed) {
      const code = await runOnce()
      if (code === 0) return
      if (!leftEarly.has(code) && !closed) throw new Error(`curl exited with ${code}`)
      await delay(comeBackMs)
    }
  }
  const close = () => {
    closed = true
    child?.kill('SIGKILL')
  }
  return { journal, connections: () => connections, over: readToEnd(), close }
}
