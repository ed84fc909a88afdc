import { describe, expect, it } from 'vitest'

import { createSigningKey } from '../../src/storage/signing-key.ts'
import type { StoreBench } from './store-bench.ts'

/** What the key promises that stream tickets are signed with. */
export function describeSigningKey(bench: StoreBench): void {
  describe('the signing key', () => {
    it('is made once, whoever asks first, and is 32 random bytes', async () => {
      const replicas = Array.from({ length: 5 }, () => createSigningKey(bench.database()))
      const keys = await Promise.all(replicas.map((ask) => ask()))
      expect(keys[0]).toHaveLength(32)
      expect(new Set(keys[0]).size).toBeGreaterThan(8)
      for (const key of keys) expect(Buffer.from(key)).toEqual(Buffer.from(keys[0] ?? []))
      expect(Buffer.from(await bench.storage().signingKey())).toEqual(Buffer.from(keys[0] ?? []))
      expect((await bench.database().query('SELECT FROM agents.signing_key')).rowCount).toBe(1)
    })

    it('is asked for again after the database was away', async () => {
      let away = true
      const database = bench.database()
      const ask = createSigningKey({
        query: (text, values) =>
          away ? Promise.reject(new Error('Connection terminated')) : database.query(text, values),
      })
      await expect(ask()).rejects.toMatchObject({ code: 'unavailable' })
      away = false
      expect(await ask()).toHaveLength(32)
    })
  })
}
