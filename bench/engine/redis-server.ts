import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { freePort } from '../../test/support/free-port.ts'
import { makeTemporaryDirectory } from '../temporary-directory.ts'

/** A Redis of this benchmark's own, with an append-only file that is flushed every second. */
export interface RedisServer {
  readonly url: string
  readonly pid: number
  stop(): Promise<void>
}

const startMs = 5_000
const askEveryMs = 50

/** Starts the `redis-server` of this machine; resolves with why it cannot when there is none. */
export async function startRedis(): Promise<RedisServer | string> {
  const directory = await makeTemporaryDirectory()
  const port = await freePort()
  const command = process.env['REDIS_SERVER'] ?? 'redis-server'
  const flags = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    directory.path,
    '--appendonly',
    'yes',
    '--save',
    '',
  ]
  const server = spawn(command, flags, { stdio: 'ignore' })
  const kill = () => void server.kill()
  process.once('exit', kill)
  const failure = new Promise<string>((resolve) => {
    server.once('error', () => resolve('no redis-server on this machine'))
    server.once('exit', (code) => resolve(`redis-server ended with ${code}`))
  })
  const wrong = await Promise.race([failure, untilItAnswers(port)])
  const stop = async () => {
    await endProcess(server)
    process.removeListener('exit', kill)
    await directory.remove()
  }
  if (wrong === null && server.pid !== undefined) return { url: `redis://127.0.0.1:${port}`, pid: server.pid, stop }
  await stop()
  return wrong ?? 'redis-server did not start'
}

async function endProcess(server: ChildProcess): Promise<void> {
  if (server.pid === undefined || server.exitCode !== null || server.signalCode !== null) return
  const ended = once(server, 'exit')
  server.kill()
  await ended
}

async function untilItAnswers(port: number): Promise<string | null> {
  const until = performance.now() + startMs
  while (performance.now() < until) {
    if (await answers(port)) return null
    await new Promise((resolve) => void setTimeout(resolve, askEveryMs))
  }
  return 'redis-server did not answer'
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
