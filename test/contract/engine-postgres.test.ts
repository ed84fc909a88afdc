import { afterAll, describe } from 'vitest'
import { createStorage } from '../../src/storage/create-storage.ts'
import { postgresOptions } from '../support/database.ts'
import { describeBudgets } from './engine-budgets-suite.ts'
import { describeKills } from './engine-kills-suite.ts'
import { describeLapses } from './engine-lapses-suite.ts'
import { describeRaces } from './engine-races-suite.ts'
import { describeReplicas } from './engine-replicas-suite.ts'
import { useEngineSite } from './engine-site.ts'
import type { OpenStorage } from './engine-site.ts'
import { postgresForTests } from './postgres-server.ts'

const server = await postgresForTests()
const url = await server?.createDatabase()

afterAll(async () => {
  await server?.stop()
})

const openReplica: OpenStorage = async (parts) => {
  const storage = createStorage({ ...postgresOptions(url ?? ''), publishes: false }, parts)
  await storage.start()
  return storage
}

describe.skipIf(!server)('engine on Postgres, with two replicas', () => {
  const site = useEngineSite([openReplica, openReplica])
  describeRaces(site)
  describeKills(site)
  describeLapses(site)
  describeBudgets(site)
  describeReplicas(site)
})
