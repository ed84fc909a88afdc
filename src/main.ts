import { enableCompileCache } from 'node:module'

// Before anything else is loaded, hence the file of its own: it saves a third of the time that a start takes.
enableCompileCache()
const { runService } = await import('./service-process.ts')
await runService()
