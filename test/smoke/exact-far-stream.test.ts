import { afterAll, describe, expect, test } from 'vitest'
import { openCluster } from '../support/process-cluster.ts'
import { postgresForTests } from '../contract/postgres-server.ts'
import { pollToEnd, readStream, readToEnd } from './event-connection.ts'
import { createEventJournal } from './event-journal.ts'
import type { EventJournal } from './event-journal.ts'
import { createValve, cuts, mostBytesPerCut, talk, textPerCut, texts, wellFormed } from './hostile-texts.ts'
import { seededRandom } from './seeded-random.ts'
import { customStep, postWorkflow } from './smoke-test.ts'

const server = await postgresForTests()

afterAll(async () => {
  await server?.stop()
})

const said = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, wellFormed(text)]))

function expectExact(journal: EventJournal): void {
  expect(journal.faults()).toEqual([])
  expect(journal.kept()).toEqual(said)
}

describe.skipIf(!server)('a stream over a real socket to a replica that does not run the steps', () => {
  test('is exact, however often it is cut, while the model still talks', { timeout: 90_000 }, async () => {
    const pick = seededRandom(20_261)
    const valve = createValve()
    const cluster = await openCluster((await server?.createDatabase()) ?? '')
    try {
      talk(cluster.model, valve)
      valve.raise(textPerCut)
      const runner = await cluster.start()
      const steps = [customStep('left'), customStep('right'), customStep('last', ['left', 'right'])]
      const { id } = await postWorkflow(runner.url, { type: 'custom', requirement: 'Texts that hurt.', steps })
      await cluster.model.called(2)
      // There is nobody else, and it has no need to give anything away.
      const other = await cluster.start({ SSE_HEARTBEAT_SECONDS: '0.05' })
      const here = `${other.url}/workflows/${id}/events`
      const there = `${runner.url}/workflows/${id}/events`

      const journal = createEventJournal()
      const roaming = createEventJournal()
      const polled = createEventJournal()
      const polling = pollToEnd(() => here, polled)
      for (let n = 2; n <= cuts; n += 1) {
        valve.raise(n * textPerCut)
        const cutAfterBytes = pick(1, mostBytesPerCut)
        expect(await readStream(here, journal, { cutAfterBytes })).toMatchObject({ status: 200, end: 'cut' })
        await readStream(n % 2 === 0 ? there : here, roaming, { cutAfterBytes: pick(1, mostBytesPerCut) })
      }
      const watching = [readToEnd(() => here, journal), readToEnd(() => here, roaming), polling]
      const isFar = (one: EventJournal) => one.text('left', 1).length > 5000 && one.text('right', 1).length > 5000
      await Promise.all([journal, roaming, polled].map((one) => one.until(isFar)))
      expect(cluster.model.calls.map(({ running }) => running)).toEqual([true, true])
      valve.raise(Infinity)
      await Promise.all(watching)
      for (const one of [journal, roaming, polled]) {
        expectExact(one)
        expect(one.lifecycle()).toEqual(journal.lifecycle())
      }
    } finally {
      await cluster.close()
    }
  })
})
