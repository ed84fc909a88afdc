import { expect, test, vi } from 'vitest'
import type { Queryable } from '../../src/storage/database.ts'
import { createSizeWatch } from '../../src/storage/size-watch.ts'

/** A database that counts questions and refuses some of them. */
function databaseThat(refuse: (text: string, asked: number) => string | null) {
  const asked: string[] = []
  const query = async (text: string) => {
    asked.push(text)
    const code = refuse(text, asked.length)
    if (code !== null) throw Object.assign(new Error('refused'), { code })
    return { rows: [{ bytes: asked.length }], rowCount: 1 }
  }
  return { database: { query } as Queryable, asked }
}

test('what this user may not ask for is asked once and stays unknown; the rest is told', async () => {
  const { database, asked } = databaseThat((text) => (text.includes('waldir') ? '42501' : null))
  const watch = createSizeWatch(database, { firstMs: 1, intervalMs: 1 })
  expect(watch.latest()).toEqual({ sizeBytes: null, walSizeBytes: null, walWrittenBytes: null })
  watch.start()
  await vi.waitUntil(() => asked.length > 8)
  expect(watch.latest()).toEqual({
    sizeBytes: expect.any(Number) as number,
    walSizeBytes: null,
    walWrittenBytes: expect.any(Number) as number,
  })
  watch.stop()
  expect(asked.filter((text) => text.includes('waldir'))).toHaveLength(1)
})

test('an outage makes them unknown and passes', async () => {
  const { database, asked } = databaseThat((_text, count) => (count > 3 && count < 9 ? '08006' : null))
  const watch = createSizeWatch(database, { firstMs: 1, intervalMs: 1 })
  watch.start()
  await vi.waitUntil(() => asked.length > 12)
  expect(watch.latest().sizeBytes).not.toBeNull()
  watch.stop()
  expect(watch.latest().sizeBytes).toBeNull()
})
