import { randomUUID } from 'node:crypto'

import { describe, expect, it } from 'vitest'

import { captureStatement } from '../../src/storage/captured-statement.ts'
import { createStatementParts } from '../../src/storage/statement-parts.ts'

describe('a captured statement', () => {
  it('is the one that would have been run, and its row is what was told', async () => {
    const id = randomUUID()
    const told: unknown[] = []
    const statement = await captureStatement(
      async (tx) => void told.push(await tx.query('INSERT INTO t VALUES ($1) RETURNING id', [id])),
      { id },
    )
    expect(statement).toEqual({ text: 'INSERT INTO t VALUES ($1) RETURNING id', values: [id] })
    expect(told).toEqual([{ rows: [{ id }], rowCount: 1 }])
  })

  it('has no values when it is given none', async () => {
    expect(await captureStatement((tx) => tx.query('SELECT 1'), {})).toEqual({ text: 'SELECT 1', values: [] })
  })

  it('must be exactly one', async () => {
    await expect(captureStatement(async () => undefined, {})).rejects.toThrow('0 statements')
    const twice = captureStatement(async (tx) => {
      await tx.query('SELECT 1')
      await tx.query('SELECT 2')
    }, {})
    await expect(twice).rejects.toThrow('2 statements')
  })

  it('is refused when who makes it fails', async () => {
    const failing = captureStatement(() => Promise.reject(new Error('the queue is not open')), {})
    await expect(failing).rejects.toThrow('the queue is not open')
  })

  it('keeps its values when it becomes a part of another', () => {
    const parts = createStatementParts()
    parts.add('w', `SELECT ${parts.bind('w')} AS id, ${parts.bind(2)}::integer AS n`)
    const twelve = Array.from({ length: 12 }, (_, n) => `value ${n + 1}`)
    const text = `INSERT INTO t VALUES (${twelve.map((_, n) => `$${n + 1}`).join(', ')}, $1)`
    parts.addStatement('j', { text, values: twelve })
    const finished = parts.finish()
    const numbers = Array.from({ length: 12 }, (_, n) => `$${n + 3}`)
    expect(finished.text).toContain(`INSERT INTO t VALUES (${numbers.join(', ')}, $3)`)
    expect(finished.values).toEqual(['w', 2, ...twelve])
  })
})
