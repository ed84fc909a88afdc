import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { processorMs } from '../processor-time.ts'

/** What scrapes of one process cost. Times are milliseconds of one scrape. */
export interface ScrapeSample {
  /** From the request to the last byte, in order of size. */
  readonly tookMs: readonly number[]
  /** CPU of the process; null where nobody tells. */
  readonly cpuMs: number | null
  readonly bytes: number
  readonly series: number
}

const warmUpScrapes = 50

/** Scrapes `/metrics` so often, one after the other over one connection, as Prometheus does. */
export async function measureScrapes(url: string, pid: number, scrapes: number): Promise<ScrapeSample> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  try {
    let body = ''
    for (let scrape = 0; scrape < warmUpScrapes; scrape += 1) body = await get(`${url}/metrics`, agent)
    const tookMs: number[] = []
    const cpuBefore = processorMs(pid)
    for (let scrape = 0; scrape < scrapes; scrape += 1) {
      const begunAt = performance.now()
      await get(`${url}/metrics`, agent)
      tookMs.push(performance.now() - begunAt)
    }
    const cpuAfter = processorMs(pid)
    return {
      tookMs: tookMs.toSorted((a, b) => a - b),
      cpuMs: cpuBefore === null || cpuAfter === null ? null : (cpuAfter - cpuBefore) / scrapes,
      bytes: Buffer.byteLength(body),
      series: body.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length,
    }
  } finally {
    agent.destroy()
  }
}

async function get(url: string, agent: Agent): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  request(url, { agent }, (response) => void text(response).then(resolve, reject))
    .once('error', reject)
    .end()
  return promise
}
