import { describe, expect } from 'vitest'
import { test } from './settings-directory.ts'

const secret = `whsec_${Buffer.alloc(24).toString('base64')}`

describe('webhooks', () => {
  test('are off, without a secret, for any public host', ({ directory }) => {
    expect(directory.load({}).settings.webhooks).toEqual({ enabled: false, secret: '', allowedHosts: [] })
  })

  test('are configured by variables', ({ directory }) => {
    const hosts = 'hooks.internal,10.0.0.7:9000,[::1]:80,::1,[::1]'
    const env = { WEBHOOKS_ENABLED: 'yes', WEBHOOKS_SECRET: secret, WEBHOOKS_ALLOWED_HOSTS: hosts }
    const { settings } = directory.load(env)
    expect(settings.webhooks).toEqual({ enabled: true, secret, allowedHosts: hosts.split(',') })
  })

  test.for(['canary', 'whsec_', 'whsec_canary', `${secret}=`, `whsec_${Buffer.alloc(65).toString('base64')}`])(
    'a secret like %s is refused, and not shown',
    (given, { directory }) => {
      const [fault, ...others] = directory.faults({ WEBHOOKS_SECRET: given })
      expect(fault).toBe('WEBHOOKS_SECRET: must be a secret, as whsec_ and 24 to 64 bytes in base64')
      expect(others).toEqual([])
    },
  )

  test.for(['https://hooks.internal', 'a/b', '*.internal', 'a:b', '[a]', 'a b', ':80', 'a:123456'])(
    'a host like %s is refused',
    (given, { directory }) => {
      expect(directory.faults({ WEBHOOKS_ALLOWED_HOSTS: given })).toHaveLength(1)
    },
  )
})
