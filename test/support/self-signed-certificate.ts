import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

/** A certificate for `localhost` and its key, both PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

const ecdsaWithSha256 = '06082a8648ce3d040302'
const commonName = '0603550403'
const subjectAltName = '0603551d11'

/** Makes one that signs itself, valid between two dates of this century; Node reads certificates, but makes none. */
export function createSelfSignedCertificate(from: Date, until: Date): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const body = toBeSigned(publicKey, [from, until])
  const signature = sign('sha256', body, privateKey)
  const whole = sequence(body, sequence(hex(ecdsaWithSha256)), bitString(signature))
  const lines = whole.toString('base64').replaceAll(/(.{64})/g, '$1\n')
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  }
}

// RFC 5280, 4.1
function toBeSigned(publicKey: KeyObject, validity: readonly Date[]): Buffer {
  const name = sequence(tagged(0x31, sequence(hex(commonName), tagged(0x0c, Buffer.from('localhost')))))
  const dnsName = tagged(0x82, Buffer.from('localhost'))
  const extension = sequence(hex(subjectAltName), tagged(0x04, sequence(dnsName)))
  return sequence(
    tagged(0xa0, hex('020102')),
    hex('020101'),
    sequence(hex(ecdsaWithSha256)),
    name,
    sequence(...validity.map((date) => tagged(0x17, Buffer.from(utcTime(date))))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(extension)),
  )
}

function utcTime(date: Date): string {
  return `${date.toISOString().replaceAll(/[-:T]/g, '').slice(2, 14)}Z`
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts))
}

function bitString(bytes: Buffer): Buffer {
  return tagged(0x03, Buffer.concat([Buffer.of(0), bytes]))
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content
  const head = length < 0x80 ? [tag, length] : [tag, 0x82, Math.floor(length / 256), length % 256]
  return Buffer.concat([Buffer.from(head), content])
}

function hex(digits: string): Buffer {
  return Buffer.from(digits, 'hex')
}
