import { describe, expect, it } from 'vitest'

import { createMaintenance } from '../../src/storage/pglite-maintenance.ts'

const mebibyte = 1024 * 1024

function setUp() {
  const ran: string[] = []
  const world = { position: 0, now: 0 }
  const run = async (text: string) => {
    if (text.includes('pg_wal_lsn_diff')) return [{ position: world.position }]
    if (text.includes('pg_class')) return [{ name: 'agents.events' }, { name: 'pgboss.job_common' }]
    ran.push(text)
    return []
  }
  const maintenance = createMaintenance(run, () => world.now)
  const round = async (written: number, passedMs: number): Promise<string[]> => {
    world.position += written
    world.now += passedMs
    await maintenance.plan()
    for (let work = maintenance.take(); work; work = maintenance.take()) await work()
    return ran.splice(0)
  }
  return { round, maintenance, world }
}

describe('maintenance of the embedded database', () => {
  it('leaves an idle database alone', async () => {
    const { round } = setUp()
    expect(await round(0, 10_000_000)).toEqual([])
    expect(await round(1000, 10_000_000)).toEqual([])
  })

  it('checkpoints when much has been written, and after a while when little has', async () => {
    const { round } = setUp()
    expect(await round(65 * mebibyte, 1000)).toEqual(['CHECKPOINT'])
    expect(await round(2 * mebibyte, 1000)).toEqual([])
    expect(await round(0, 300_001)).toContain('CHECKPOINT')
  })

  it('vacuums table by table, a minute apart, when something has been written', async () => {
    const { round, maintenance, world } = setUp()
    const tables = ['VACUUM (ANALYZE) agents.events', 'VACUUM (ANALYZE) pgboss.job_common']
    expect(await round(2 * mebibyte, 60_001)).toEqual(tables)
    expect(await round(2 * mebibyte, 1000)).toEqual([])
    world.position += 2 * mebibyte
    world.now += 60_001
    await maintenance.plan()
    await maintenance.plan()
    expect(maintenance.take()).not.toBeNull()
    expect(maintenance.take()).not.toBeNull()
    expect(maintenance.take()).toBeNull()
  })
})
