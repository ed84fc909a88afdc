import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { temporaryDirectory } from '../support/database.ts'

/** A running nginx in front of one address. */
export interface Nginx {
  readonly url: string
  close(): Promise<void>
}

const pollMs = 20

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Nothing is said about buffering: it is nginx's default, on. */
function configuration(port: number, upstream: string, lines: readonly string[]): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path tmp/${name};`)
  return `
    daemon off;
    master_process off;
    pid nginx.pid;
    error_log stderr warn;
    events {}
    http {
      access_log off;
      ${temporary.join('\n')}
      server {
        listen 127.0.0.1:${port};
        location / {
          proxy_pass ${upstream};
          ${lines.map((line) => `${line};`).join('\n')}
        }
      }
    }`
}

/** Starts the program in front of `upstream`, with these further lines for its location. */
export async function startNginx(program: string, upstream: string, lines: readonly string[] = []): Promise<Nginx> {
  const { path, remove } = await temporaryDirectory()
  const port = await freePort()
  await mkdir(join(path, 'tmp'))
  await writeFile(join(path, 'nginx.conf'), configuration(port, upstream, lines))
  const child = spawn(program, ['-p', path, '-c', 'nginx.conf', '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text))
  const ended = once(child, 'close')
  const url = `http://127.0.0.1:${port}`
  while ((await fetch(`${url}/livez`).catch(() => null))?.status !== 200) {
    if (child.exitCode !== null) throw new Error(`nginx did not start:\n${complaints}`)
    await delay(pollMs)
  }
  return {
    url,
    async close() {
      child.kill('SIGKILL')
      await ended
      await remove()
    },
  }
}
