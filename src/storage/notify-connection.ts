import { Client } from 'pg'

import { fromPayload } from './notify-payload.ts'
import { postgresAddress } from './postgres-address.ts'

/** A connection that hears notifications and sends them. */
export interface NotifyConnection {
  /**
   * Sends one notification per payload, all in one statement; none at all only asks whether the server is there.
   * One call at a time. After a rejection the connection is of no more use.
   */
  send(payloads: readonly string[]): Promise<void>
  /** Resolves when the connection is gone, whoever ended it. */
  readonly gone: Promise<void>
  /** Ends it, at once when a statement is under way. */
  close(): Promise<void>
}

export interface NotifyConnectionOptions {
  readonly databaseUrl: string
  /** How long connecting, and then each answer, may take. */
  readonly patienceMs?: number
  /** Gives up connecting. */
  readonly signal: AbortSignal
}

/** Takes the workflow ids of a notification. */
export type HearPayload = (workflowIds: readonly string[]) => void

const channel = 'agents_workflows'
const goodbyeMs = 500

// A hint need not survive a crash. Otherwise each would wait for the disk, under a lock of the whole database.
const prepare = `SET synchronous_commit = off; LISTEN ${channel}`

function createClient({ databaseUrl, patienceMs = 2000 }: NotifyConnectionOptions): Client {
  return new Client({
    ...postgresAddress(databaseUrl),
    application_name: 'multi-agent-service hints',
    connectionTimeoutMillis: patienceMs,
    // A server that is frozen, or behind a firewall that forgot us, says nothing at all.
    query_timeout: patienceMs,
    keepAlive: true,
  })
}

function destroy(client: Client): void {
  client.connection.stream.destroy()
}

async function listen(client: Client, hear: HearPayload): Promise<void> {
  await client.connect()
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  client.on('notification', ({ channel: where, processId, payload = '' }) => {
    // What this connection sends comes back to it as well.
    if (where === channel && processId !== rows[0]?.pid) hear(fromPayload(payload))
  })
  await client.query(prepare)
}

/**
 * Opens a connection that listens. `hear` gets what other connections send, not what this one does. Rejects with the
 * driver's error when that is not possible now, and leaves nothing open then.
 */
export async function connectNotify(options: NotifyConnectionOptions, hear: HearPayload): Promise<NotifyConnection> {
  const client = createClient(options)
  const { promise: gone, resolve } = Promise.withResolvers<void>()
  // One that breaks tells so by an error, an end, or both.
  client.on('error', () => resolve())
  client.on('end', () => resolve())
  const abort = () => destroy(client)
  options.signal.addEventListener('abort', abort, { once: true })
  try {
    await listen(client, hear)
  } catch (error) {
    destroy(client)
    throw error
  } finally {
    options.signal.removeEventListener('abort', abort)
  }
  return {
    gone,
    async send(payloads) {
      await client.query('SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload', [channel, payloads])
    },
    async close() {
      const impatient = setTimeout(() => destroy(client), goodbyeMs)
      await client.end()
      clearTimeout(impatient)
    },
  }
}
