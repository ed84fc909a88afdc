import { createStorage } from '../../src/storage/create-storage.ts'
import { newWorkflow } from '../contract/fixtures.ts'
import { embeddedOptions, failingParts } from '../support/database.ts'

// A process of its own: opens the directory that it is given and says so, then names every workflow that it has stored.
const storage = createStorage(await embeddedOptions(process.argv[2] ?? ''), failingParts)
await storage.start()
process.stdout.write('open\n')
for (;;) {
  const workflow = newWorkflow()
  await storage.store.create(workflow)
  process.stdout.write(`${workflow.state.id}\n`)
}
