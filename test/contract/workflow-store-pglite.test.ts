import { openTestDatabase, openTestStorage } from '../support/database.ts'
import { describeMigrations } from './migrations-suite.ts'
import { describeWorkflowStore } from './workflow-store-suite.ts'

describeWorkflowStore('PGlite', (parts) => openTestStorage({ publishes: true }, parts))
describeMigrations('PGlite', openTestDatabase)
