import type { AddressInfo } from 'node:net'
import { openPeerRelay } from '../peers/relay-peers.ts'
import { isPeer } from './contender.ts'
import type { ContenderName } from './contender.ts'

/** What the process of a contender other than this service is told, as JSON in its first argument. */
export interface ContenderTask {
  readonly contender: Exclude<ContenderName, `ours${string}`>
  /** With `/v1`. */
  readonly modelUrl: string
}

async function listen({ contender, modelUrl }: ContenderTask): Promise<number> {
  if (isPeer(contender)) return openPeerRelay(contender, modelUrl)
  const { openBytePipe } = await import('./byte-pipe.ts')
  const server = openBytePipe(modelUrl)
  server.listen({ port: 0, host: '127.0.0.1', backlog: 2_048 })
  await new Promise((resolve) => void server.once('listening', resolve))
  return (server.address() as AddressInfo).port
}

// the parent decides what Ctrl-C means; it may also be gone without a word
process.on('SIGINT', () => {})
process.once('disconnect', () => process.exit())
const port = await listen(JSON.parse(process.argv[2] ?? '') as ContenderTask)
process.send?.({ url: `http://127.0.0.1:${port}` })
