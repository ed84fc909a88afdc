import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

// The service, which collects its garbage at a signal, so that memory can be told from what was not yet collected.
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
process.on('SIGWINCH', () => collect())
await import('../../src/main.ts')
