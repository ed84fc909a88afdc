import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { isKnownVariable } from './known-variables.ts'
import { projectPath, readProjectFile, readYaml } from './project-files.ts'

/** Instructions of a Dockerfile, continuations joined, comments left out. */
function instructionsOf(path: string): readonly (readonly [name: string, rest: string])[] {
  const text = readProjectFile(path)
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)])
}

const instructions = instructionsOf('Dockerfile')
const final = instructions.slice(instructions.findLastIndex(([name]) => name === 'FROM'))
const restOf = (wanted: string) => final.find(([name]) => name === wanted)?.[1] ?? ''
const variables = new Map(
  final
    .filter(([name]) => name === 'ENV')
    .flatMap(([, rest]) => rest.split(' ').map((pair) => pair.split('=') as [string, string])),
)

describe('the image', () => {
  test('copies only what is there and what .dockerignore lets through', () => {
    const allowed = readProjectFile('.dockerignore').match(/^!.+$/gm) ?? []
    const copied = instructions
      .filter(([name, rest]) => name === 'COPY' && !rest.includes('--from='))
      .flatMap(([, rest]) => rest.split(' ').slice(0, -1))
    expect(copied.filter((path) => !existsSync(projectPath(path)))).toEqual([])
    expect(new Set(copied.map((path) => `!${path}`))).toEqual(new Set(allowed))
  })

  test('runs as npm start does, without npm, and not as root', () => {
    const { scripts, license } = JSON.parse(readProjectFile('package.json')) as {
      readonly scripts: { readonly start: string }
      readonly license: string
    }
    expect(JSON.parse(restOf('CMD'))).toEqual(scripts.start.split(' '))
    expect(restOf('USER')).toMatch(/^[1-9]\d*:[1-9]\d*$/)
    expect(restOf('RUN')).toContain('rm -rf /usr/local/lib/node_modules')
    expect(restOf('LABEL')).toContain(`licenses="${license}"`)
    expect(instructions.filter(([name]) => name === 'FROM').map(([, rest]) => rest.split(' ')[0])).toEqual([
      'node:26-trixie-slim',
      'dependencies',
      'node:26-trixie-slim',
    ])
  })

  test('sets variables that there are, writes nothing but its volume, and says of nobody that he may come in', () => {
    expect([...variables.keys()].filter((name) => !isKnownVariable(name))).toEqual([])
    expect(Object.fromEntries(variables)).toMatchObject({
      HOST: '0.0.0.0',
      LOG_FILE: '',
      METRICS_SNAPSHOT_FILE: '',
      DATA_DIRECTORY: restOf('VOLUME'),
      PORT: restOf('EXPOSE'),
    })
    expect(variables.has('AUTH')).toBe(false)
  })

  test('its health check says 0 while the service answers, else 1', async () => {
    const [, command = '[]'] = /CMD (\[.*\])$/.exec(restOf('HEALTHCHECK')) ?? []
    const [, ...args] = JSON.parse(command) as string[]
    const asked: (string | undefined)[] = []
    const server = createServer((request, response) => {
      asked.push(request.url)
      response.writeHead(asked.length === 1 ? 200 : 503).end()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const env = { PORT: String((server.address() as AddressInfo).port) }
    const codes: unknown[] = []
    for (let check = 0; check < 2; check += 1) {
      codes.push((await once(spawn(process.execPath, args, { env }), 'close'))[0])
    }
    server.close()
    server.closeAllConnections()
    codes.push((await once(spawn(process.execPath, args, { env }), 'close'))[0])
    expect(codes).toEqual([0, 1, 1])
    expect(asked).toEqual(['/livez', '/livez'])
  })
})

interface ComposeService {
  readonly image: string
  readonly build?: string
  readonly profiles: readonly string[]
  readonly environment?: Readonly<Record<string, string | number>>
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly read_only?: boolean
  readonly stop_grace_period?: string
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly depends_on?: Readonly<Record<string, { readonly condition: string; readonly required?: boolean }>>
}

describe('docker-compose.yml', () => {
  const { services, volumes } = readYaml('docker-compose.yml') as {
    readonly services: Readonly<Record<string, ComposeService>>
    readonly volumes: Readonly<Record<string, null>>
  }
  const all = Object.entries(services)
  const ours = all.filter(([, { build }]) => build !== undefined)

  test('has a profile for each way to run it', () => {
    expect(Object.fromEntries(all.map(([name, { profiles }]) => [name, profiles.join()]))).toEqual({
      service: 'embedded',
      'service-on-postgres': 'postgres',
      postgres: 'postgres',
      llm: 'llm',
      prometheus: 'monitoring',
      grafana: 'monitoring',
    })
  })

  test.each(all)('%s: reached from this machine only, its image of one version, its files there', (_name, service) => {
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:[\d-]+:\d+$/)
    expect(service.image).toMatch(service.build === undefined ? /:[\w.]+$/ : /^llm-multi-agent$/)
    for (const volume of service.volumes ?? []) {
      const [from = '', , mode] = volume.split(':')
      if (from.startsWith('./')) expect([statSync(projectPath(from)).isDirectory(), mode]).toEqual([true, 'ro'])
      else expect(volumes).toHaveProperty(from)
    }
  })

  test('who waits for another one waits until that is healthy', () => {
    const waits = all.flatMap(([, { depends_on: on = {} }]) => Object.entries(on))
    expect(waits.length).toBeGreaterThan(3)
    for (const [name, { condition }] of waits) {
      expect(condition).toBe('service_healthy')
      expect(services[name]?.healthcheck?.test[0]).toBe('CMD')
    }
    // what is in another profile may be missing
    const optional = ours.map(([, { depends_on: on }]) => on?.['llm']?.required)
    expect(optional).toEqual([false, false])
  })

  test.each(ours)('%s: known settings, a read-only root, time to leave', (_name, service) => {
    expect(Object.keys(service.environment ?? {}).filter((name) => !isKnownVariable(name))).toEqual([])
    expect(service.environment).toMatchObject({ AUTH: '${AUTH:-none}' })
    expect(service.read_only).toBe(true)
    expect(Number.parseInt(service.stop_grace_period ?? '', 10)).toBeGreaterThanOrEqual(25 + 10)
    expect(service.healthcheck?.test.join(' ')).toContain('http://127.0.0.1:3000/readyz')
  })

  test('Prometheus scrapes the services of this file', () => {
    const { scrape_configs: jobs } = readYaml('deploy/prometheus/prometheus.yml') as {
      readonly scrape_configs: readonly [{ readonly dns_sd_configs: readonly [{ readonly names: readonly string[] }] }]
    }
    expect(jobs[0].dns_sd_configs[0].names).toEqual(ours.map(([name]) => name))
  })
})
