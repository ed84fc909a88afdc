import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const directory = fileURLToPath(new URL('./peers', import.meta.url))
// npm writes it when everything else is there
const finished = fileURLToPath(new URL('./peers/node_modules/.package-lock.json', import.meta.url))
const limitMs = 300_000

/** Installs the peers in `bench/peers` unless they are there. Resolves with what went wrong, or null. */
export async function installPeers(parts: {
  readonly signal: AbortSignal
  readonly progress: (line: string) => void
}): Promise<string | null> {
  if (existsSync(finished)) return null
  parts.progress('installing the peers: npm ci in bench/peers')
  const npm = spawn('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: directory,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const stop = (): void => void npm.kill()
  const timer = setTimeout(stop, limitMs)
  parts.signal.addEventListener('abort', stop, { once: true })
  let said = ''
  npm.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(0, 2_000)
  })
  const code = await new Promise<number | null>((resolve) => {
    npm.once('error', () => resolve(null))
    npm.once('close', resolve)
  })
  clearTimeout(timer)
  parts.signal.removeEventListener('abort', stop)
  return code === 0 ? null : `npm ci in bench/peers failed (${firstLine(said)})`
}

function firstLine(text: string): string {
  const line = text.split('\n').find((one) => one.includes('error'))
  return line?.trim() ?? 'without a word'
}
