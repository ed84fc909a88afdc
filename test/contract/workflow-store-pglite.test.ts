import { openTestStorage } from '../support/database.ts'
import { describeWorkflowStore } from './workflow-store-suite.ts'

describeWorkflowStore('PGlite', () => openTestStorage({ publishes: true }))
