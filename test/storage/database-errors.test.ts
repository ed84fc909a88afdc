import { describe, expect, it } from 'vitest'

import { AppError } from '../../src/errors.ts'
import { isConnectionLost, isPassing, withAppErrors, withConflictRetries } from '../../src/storage/database-errors.ts'

function failure(code: string, message = 'x'): Error {
  return Object.assign(new Error(message), code === '' ? {} : { code })
}

describe('errors of the database', () => {
  it.each(['57P01', '57P03', '08006', '08P01', '53300', 'ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', '25P03'])(
    '%s passes, its connection does not',
    (code) => {
      expect(isPassing(failure(code))).toBe(true)
      expect(isConnectionLost(failure(code))).toBe(code !== '53300')
    },
  )

  it.each(['57014', '55P03'])('%s passes and leaves the connection usable', (code) => {
    expect(isPassing(failure(code))).toBe(true)
    expect(isConnectionLost(failure(code))).toBe(false)
  })

  it.each([
    'Connection terminated unexpectedly',
    'Connection terminated due to connection timeout',
    'timeout exceeded when trying to connect',
    'Query read timeout',
  ])('%s passes', (message) => {
    expect(isPassing(failure('', message))).toBe(true)
  })

  it.each(['23505', '42601', '28P01', '3D000', ''])('%s is no outage', (code) => {
    expect(isPassing(failure(code))).toBe(false)
  })

  it.each([
    [failure('08006'), 'unavailable', 1000],
    [failure('23505'), 'internal', undefined],
    [new AppError('not-found', 'x'), 'not-found', undefined],
  ])('leave the folder as AppErrors only: %s', async (given, code, retryAfterMs) => {
    const [outcome] = await Promise.allSettled([withAppErrors(() => Promise.reject(given))])
    const thrown: unknown = outcome.status === 'rejected' ? outcome.reason : undefined
    expect(thrown).toBeInstanceOf(AppError)
    expect(thrown).toMatchObject({ code, details: retryAfterMs === undefined ? {} : { retryAfterMs } })
  })

  it.each(['40P01', '40001'])('%s is tried again three times', async (code) => {
    let runs = 0
    const lost = (until: number) => () => {
      runs += 1
      return runs < until ? Promise.reject(failure(code)) : Promise.resolve(runs)
    }
    expect(await withConflictRetries(lost(4))).toBe(4)
    runs = 0
    await expect(withConflictRetries(lost(5))).rejects.toMatchObject({ code })
    expect(runs).toBe(4)
  })
})
