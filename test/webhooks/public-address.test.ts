import { isIP } from 'node:net'
import { assert, property } from 'fast-check'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createIsPublicAddress } from '../../src/webhooks/public-address.ts'

const isPublic = createIsPublicAddress()

describe('an address', () => {
  it.each(['1.1.1.1', '8.8.8.8', '93.184.216.34', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450:4001::1'])(
    '%s is public',
    (address) => expect(isPublic(address)).toBe(true),
  )

  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.8',
    '192.168.1.1',
    '198.18.0.1',
    '203.0.113.9',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '::ffff:8.8.8.8',
    '64:ff9b::7f00:1',
    '64:ff9b:1::1',
    'fc00::1',
    'fd12:3456::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    '100::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '2606:4700::1111%lo',
    '',
    'localhost',
    '127.1',
    '0x7f000001',
  ])('%s is not', (address) => expect(isPublic(address)).toBe(false))

  it('is public only if it is one, whatever stands there', () => {
    assert(
      property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.webAuthority()), (text) => {
        if (isPublic(text)) expect(isIP(text)).not.toBe(0)
      }),
    )
  })

  it('of a private network is never public, wherever in it', () => {
    const last = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255))
    assert(
      property(fc.constantFrom(10, 127, 0, 224, 239, 240, 255), last, (first, rest) => {
        expect(isPublic([first, ...rest].join('.'))).toBe(false)
        expect(isPublic(`::ffff:${[first, ...rest].join('.')}`)).toBe(false)
      }),
    )
  })
})
