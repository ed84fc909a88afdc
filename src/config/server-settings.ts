import { Type } from '@sinclair/typebox'
import { oneOf, seconds, secondsOrZero, text, whole } from './setting.ts'

/** The HTTP server and its streams. */
export const serverSettings = {
  host: text({ default: '127.0.0.1', format: 'host', description: 'Address to listen on.' }),
  port: whole({ default: 3000, minimum: 0, maximum: 65_535, description: 'Port to listen on. 0: any free one.' }),
  api_keys: Type.Array(Type.String(), {
    default: [],
    secret: true,
    unit: 'each NAME:SHA256 or NAME:SHA256:SCOPES',
    description:
      'Who may call: the SHA-256 of each key in hex, and its scopes joined by +: read, write (the default), admin. npm run key -- NAME makes one.',
  }),
  auth: oneOf(['keys', 'none'], {
    default: 'keys',
    description:
      'Whether a key is asked for. none: everybody who can connect may call; needed to listen beyond this machine without keys.',
  }),
  rate_limit_per_minute: whole({
    default: 0,
    minimum: 0,
    description: 'Requests that one key, or without keys one client address, may send; then 429. 0: any number.',
  }),
  overload_event_loop_delay_ms: whole({
    default: 1000,
    minimum: 0,
    unit: 'milliseconds',
    description: 'When the process answers this late, new work gets 503 and reads go on. 0: never.',
  }),
  body_limit_bytes: whole({
    default: 10_485_760,
    minimum: 1,
    unit: 'bytes',
    description: 'Largest body of a request.',
  }),
  trust_proxy: Type.Unsafe<boolean | string[]>({
    type: ['boolean', 'array'],
    items: { type: 'string', format: 'proxy-address' },
    default: false,
    description: 'Believe X-Forwarded-* of every proxy (true), or of these addresses and networks only.',
  }),
  cors_origins: Type.Array(Type.String({ format: 'origin' }), {
    default: [],
    description: 'Web pages of these origins may call, as https://app.example.com; *: of any. Empty: none.',
  }),
  max_sse_connections: whole({
    default: 10_000,
    minimum: 1,
    description: 'Open event streams; above it a new one gets 503.',
  }),
  max_sse_connections_per_key: whole({
    default: 0,
    minimum: 0,
    description: 'Open event streams of one key, or without keys of one client address; then 429. 0: any number.',
  }),
  sse_heartbeat_seconds: seconds({ default: 15, description: 'Time between two heartbeats of an event stream.' }),
  sse_slow_client_seconds: seconds({
    default: 60,
    description: 'A reader that takes nothing for so long is disconnected.',
  }),
  stream_ticket_seconds: seconds({ default: 3600, description: 'Life of a ticket for an event stream.' }),
  shutdown_grace_seconds: secondsOrZero({
    default: 25,
    description: 'Time that running steps have to finish at shutdown.',
  }),
}
