import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { postgresAddress } from '../../src/storage/postgres-address.ts'
import { temporaryDirectory } from '../support/database.ts'

const url = 'postgres://me:p%40ss@db.example:6543/name'

describe('the address of a Postgres', () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>
  let root: string

  beforeAll(async () => {
    directory = await temporaryDirectory()
    root = join(directory.path, 'root.crt')
    await writeFile(root, 'PEM')
  })

  afterAll(() => directory.remove())

  const unchecked = { rejectUnauthorized: false }
  const unnamed = { ca: 'PEM', checkServerIdentity: expect.any(Function) as unknown }

  it.each([
    ['', {}, false],
    ['?sslmode=disable', { PGSSLMODE: 'require' }, false],
    ['', { PGSSLMODE: 'require' }, unchecked],
    ['?sslmode=require', {}, unchecked],
    ['?sslmode=require&uselibpqcompat=true', {}, unchecked],
    ['?sslmode=no-verify', {}, unchecked],
    ['?sslmode=require&sslrootcert=ROOT', {}, unnamed],
    ['?sslmode=require', { PGSSLROOTCERT: 'ROOT' }, unnamed],
    ['?sslmode=verify-ca&sslrootcert=ROOT', {}, unnamed],
    ['?sslmode=verify-full&sslrootcert=ROOT', {}, { ca: 'PEM' }],
    ['?sslmode=verify-full', {}, {}],
    ['?sslmode=verify-full&sslrootcert=system', {}, {}],
    ['?sslmode=verify-full&sslcert=ROOT&sslkey=ROOT', {}, { cert: 'PEM', key: 'PEM' }],
    ['?ssl=true', {}, {}],
    ['?ssl=0', {}, false],
    ['?sslnegotiation=direct', {}, unchecked],
  ])('%s with %j is secured as libpq says', (query, env, ssl) => {
    const here = (text: string): string => text.replaceAll('ROOT', root)
    const variables = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, here(value)]))
    expect(postgresAddress(url + here(query), variables).ssl).toEqual(ssl)
  })

  it('lets a certificate of another name pass when only its issuer is checked', () => {
    const { ssl } = postgresAddress(`${url}?sslmode=verify-ca&sslrootcert=${root}`, {})
    const checks = ssl === false ? {} : ssl
    expect(checks.checkServerIdentity?.('elsewhere', {} as never)).toBeUndefined()
  })

  it.each([
    '?sslmode=prefer',
    '?sslmode=allow',
    '?sslmode=requier',
    '?sslmode=verify-ca',
    '?sslmode=require&sslrootcert=system',
    '?sslmode=verify-full&sslrootcert=/nowhere/root.crt',
  ])('%s is refused', (query) => {
    expect(() => postgresAddress(url + query, {})).toThrow(expect.objectContaining({ code: 'internal' }))
  })

  it('keeps everything else of the URL', () => {
    const given = `${url}?options=-c%20search_path%3Da&sslmode=require&application_name=b`
    expect(postgresAddress(given, {}).connectionString).toBe(`${url}?options=-c+search_path%3Da&application_name=b`)
    expect(postgresAddress(`${url}?sslmode=require`, {}).connectionString).toBe(url)
    expect(postgresAddress('postgres://', {}).connectionString).toBe('postgres://')
  })
})
