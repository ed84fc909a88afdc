import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'

import { AppError } from '../errors.ts'

/** Where a Postgres is and how the way there is secured: options of a client or a pool of `pg`. */
export interface PostgresAddress {
  /** The URL without what `ssl` says; `pg` fills in what is missing from `PG*`. */
  readonly connectionString: string
  readonly ssl: false | ConnectionOptions
}

type Environment = Readonly<Record<string, string | undefined>>

const tlsParameters = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'ssl', 'uselibpqcompat'] as const

function refuse(message: string, cause?: unknown): never {
  throw new AppError('internal', `The address of the database cannot be used: ${message}`, { cause })
}

function readPem(path: string, parameter: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    return refuse(`the file of ${parameter} cannot be read.`, error)
  }
}

function modeOf(parameters: URLSearchParams, env: Environment): string {
  const mode = parameters.get('sslmode') ?? env['PGSSLMODE']
  if (mode) return mode
  // What `pg` calls ssl checks certificates and names, unless it says otherwise.
  const ssl = parameters.get('ssl')
  if (ssl === 'true' || ssl === '1') return 'verify-full'
  if (ssl === 'no-verify') return ssl
  const direct = (parameters.get('sslnegotiation') ?? env['PGSSLNEGOTIATION']) === 'direct'
  return direct ? 'require' : 'disable'
}

function rootOf(path: string | undefined, mode: string): ConnectionOptions | null {
  if (!path) return null
  if (path !== 'system') return { ca: readPem(path, 'sslrootcert') }
  return mode === 'verify-full' ? {} : refuse('sslrootcert=system needs sslmode=verify-full.')
}

// https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION
function checksOf(mode: string, rootCertificate: string | undefined): false | ConnectionOptions {
  if (mode === 'disable') return false
  const root = rootOf(rootCertificate, mode)
  const onlyIssuer = root && { ...root, checkServerIdentity: () => undefined }
  switch (mode) {
    case 'no-verify':
      return { rejectUnauthorized: false }
    case 'require':
      // With a root certificate it has always meant verify-ca.
      return onlyIssuer ?? { rejectUnauthorized: false }
    case 'verify-ca':
      return onlyIssuer ?? refuse('sslmode=verify-ca needs sslrootcert.')
    case 'verify-full':
      return root ?? {}
    default:
      return refuse(`sslmode=${mode} is none of disable, require, verify-ca, verify-full.`)
  }
}

/**
 * Reads `sslmode`, `sslrootcert`, `sslcert` and `sslkey` of a URL, or `PGSSLMODE`, `PGSSLROOTCERT` … where it is silent,
 * and lets them mean what they mean to libpq: `require` encrypts without checking the server, unless there is a root
 * certificate. Differences: without a mode nothing is encrypted; `verify-full` without a root certificate trusts those
 * that Node does; `allow` and `prefer`, which encrypt as it happens, are refused. Throws an `AppError` for what cannot
 * be used.
 */
export function postgresAddress(databaseUrl: string, env: Environment = process.env): PostgresAddress {
  const [base = '', query = ''] = databaseUrl.split(/\?(.*)/s)
  const parameters = new URLSearchParams(query)
  const file = (name: string): string | undefined => parameters.get(name) || env[`PG${name.toUpperCase()}`] || undefined
  const checks = checksOf(modeOf(parameters, env), file('sslrootcert'))
  const certificate = file('sslcert')
  const key = file('sslkey')
  for (const name of tlsParameters) parameters.delete(name)
  const connectionString = parameters.size === 0 ? base : `${base}?${parameters.toString()}`
  if (checks === false) return { connectionString, ssl: false }
  const own = {
    ...(certificate ? { cert: readPem(certificate, 'sslcert') } : {}),
    ...(key ? { key: readPem(key, 'sslkey') } : {}),
  }
  return { connectionString, ssl: { ...checks, ...own } }
}
