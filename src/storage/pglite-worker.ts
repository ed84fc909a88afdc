import { parentPort, workerData } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'

import { createMaintenance } from './pglite-maintenance.ts'
import type { PGliteReply, PGliteWorkerData } from './pglite-messages.ts'
import { createPGliteServer } from './pglite-server.ts'
import { createSession, describeFailure, openPGlite } from './pglite-session.ts'
import { createTurns } from './turns.ts'
import type { Turn } from './turns.ts'

/** Opens the database and serves it on the port: the body of a thread of its own, the only user of the files. */
async function serve(port: MessagePort, data: PGliteWorkerData): Promise<void> {
  const post = (reply: PGliteReply): void => port.postMessage(reply)
  const database = await openPGlite(data.directory)
  const session = createSession(database, (message) => {
    turns.stop()
    clearInterval(timer)
    post({ kind: 'fatal', message })
  })
  const maintenance = createMaintenance(async (text) => (await session.run({ text })).flatMap((result) => result.rows))
  const takePiece = (): Turn | null => {
    const piece = maintenance.take()
    return piece && (() => piece().catch(() => undefined))
  }
  const turns = createTurns({
    transactionLimitMs: data.transactionLimitMs,
    giveUp: () => session.undo(),
    idle: takePiece,
  })
  const look = async (): Promise<void> => {
    await maintenance.plan().catch(() => undefined)
    // Under a load that leaves no idle moment this is all that gets done.
    await takePiece()?.()
  }
  const timer = setInterval(() => turns.enter(null, look), data.maintenanceIntervalMs)
  const onClosed = (): void => {
    clearInterval(timer)
    port.close()
  }
  port.on('message', createPGliteServer({ session, turns, post, onClosed }))
  post({ kind: 'open' })
}

if (parentPort) {
  const port = parentPort
  try {
    await serve(port, workerData as PGliteWorkerData)
  } catch (error) {
    const message = `The embedded database does not open: ${describeFailure(error).message}`
    port.postMessage({ kind: 'fatal', message } satisfies PGliteReply)
  }
}
