import { describe } from 'vitest'
import { openTestStorage } from '../support/database.ts'
import { describeBudgets } from './engine-budgets-suite.ts'
import { describeKills } from './engine-kills-suite.ts'
import { describeLapses } from './engine-lapses-suite.ts'
import { describeRaces } from './engine-races-suite.ts'
import { useEngineSite } from './engine-site.ts'

describe('engine on PGlite', () => {
  const site = useEngineSite([(parts) => openTestStorage({}, parts)])
  describeRaces(site)
  describeKills(site)
  describeLapses(site)
  describeBudgets(site)
})
