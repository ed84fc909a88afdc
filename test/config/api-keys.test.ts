import { describe, expect } from 'vitest'
import { hashOfKey, parseApiKey } from '../../src/config/api-key.ts'
import { describeNewKey } from '../../src/config/make-key.ts'
import { printSettings } from '../../src/config/print.ts'
import { test } from './settings-directory.ts'

const one = '1a'.repeat(32)
const two = '2b'.repeat(32)

describe('api_keys', () => {
  test('are a list in the environment, in YAML, and in a file', ({ directory }) => {
    const keys = [`anna:${one}`, `ci.bot:${two}:read+write`]
    expect(directory.load({ API_KEYS: keys.join(', ') }).settings.apiKeys).toEqual(keys)
    directory.write('keys.txt', `${keys.join('\n')}\n`)
    expect(directory.load({ API_KEYS_FILE: 'keys.txt' }).settings.apiKeys).toEqual(keys)
    directory.write('config.yaml', `api_keys:\n${keys.map((key) => `  - ${key}\n`).join('')}`)
    expect(directory.load().settings.apiKeys).toEqual(keys)
  })

  test('are never printed', ({ directory }) => {
    const printed = printSettings(directory.load({ API_KEYS: `anna:${one}` }).settings)
    expect(printed).toContain("api_keys: '***'")
    expect(printed).not.toContain(one)
    expect(printSettings(directory.load().settings)).toContain('api_keys: []')
  })

  test.for([
    ['lma_the-key-itself', 'must be name:sha256 or name:sha256:scopes'],
    [`anna:${one}:read:more`, 'must be name:sha256 or name:sha256:scopes'],
    ['anna:lma_the-key-itself', 'must have the SHA-256 of the key, 64 hex digits, after its name'],
    [`anna:${one.slice(1)}`, 'must have the SHA-256 of the key, 64 hex digits, after its name'],
    [`anna:${one}:`, 'must have scopes of read, write, admin, joined by +'],
    [`anna:${one}:read+root`, 'must have scopes of read, write, admin, joined by +'],
    [`an na:${one}`, 'must begin with a name of at most 63'],
    [`:${one}`, 'must begin with a name of at most 63'],
  ] as const)('%s is refused without a word of it', ([key, why], { directory }) => {
    const faults = directory.faults({ API_KEYS: `first:${two},${key}` })
    expect(faults).toEqual([expect.stringContaining(`API_KEYS: entry 2 ${why}`)])
    expect(faults.join()).not.toMatch(/lma_|1a1a/)
  })

  test('may not come twice, neither by name nor by hash', ({ directory }) => {
    directory.write(
      'config.yaml',
      `port: 1\napi_keys: [a:${one}, b:${two}, a:${'3c'.repeat(32)}, c:${one.toUpperCase()}]\n`,
    )
    expect(directory.faults()).toEqual([
      'config.yaml:2: api_keys entry 3 has the name of entry 1: every key needs its own',
      'config.yaml:2: api_keys entry 4 has the hash of entry 1: one key cannot be two',
    ])
  })

  test('open the service to other machines', ({ directory }) => {
    expect(directory.load({ HOST: '0.0.0.0', API_KEYS: `anna:${one}` }).settings.host).toBe('0.0.0.0')
    expect(directory.faults({ HOST: '0.0.0.0', API_KEYS: 'anna' })).toHaveLength(1)
  })

  test('are not passed over in silence', ({ directory }) => {
    expect(directory.faults({ AUTH: 'none', API_KEYS: `anna:${one}` })).toEqual([
      'AUTH: is none, so nobody would be asked for one of the API keys: set AUTH=keys, or remove API_KEYS',
    ])
  })
})

describe('the command that makes a key', () => {
  test('prints a key and the entry that lets it in', ({ directory }) => {
    const text = describeNewKey(['anna', '--scopes', 'read+write']) ?? ''
    const key = /^ {2}(lma_[\w-]{43})$/m.exec(text)?.[1] ?? ''
    const entry = /^ {2}(anna:.*)$/m.exec(text)?.[1] ?? ''
    expect(parseApiKey(entry)).toEqual({ name: 'anna', sha256: hashOfKey(key), scopes: ['read', 'write'] })
    expect(directory.load({ API_KEYS: entry }).settings.apiKeys).toEqual([entry])
    expect(describeNewKey(['anna'])).not.toContain(key)
    expect(describeNewKey(['anna'])).toMatch(/^ {2}anna:[0-9a-f]{64}:write$/m)
  })

  test.for([[], ['a', 'b'], ['a b'], ['anna', '--scopes', 'root'], ['anna', '--scope', 'read']])(
    'does not understand %j',
    (argv) => {
      expect(describeNewKey(argv)).toBeNull()
    },
  )
})
