import { randomBytes } from 'node:crypto'

import { createStorage } from '../../src/storage/create-storage.ts'
import { newWorkflow } from '../contract/fixtures.ts'
import { embeddedOptions, postgresOptions } from '../support/database.ts'

// A process of its own: opens the directory or the Postgres that it is given, then names every workflow that it has
// stored, with so many bytes in each; or says why it cannot. It ends as the service does when the database says so.
const [place = '', bytes = '0'] = process.argv.slice(2)
const options = place.startsWith('postgres:') ? postgresOptions(place) : await embeddedOptions(place)
const storage = createStorage(options, { onFatal: (exitCode) => process.exit(exitCode) })
try {
  await storage.start()
} catch (error) {
  process.stdout.write(`${String(error)}\n`)
  process.exit(1)
}
for (;;) {
  const workflow = newWorkflow()
  const input = { ...workflow.input, requirement: randomBytes(Number(bytes) / 2).toString('hex') }
  await storage.store.create({ ...workflow, input }, null)
  process.stdout.write(`${workflow.state.id}\n`)
}
