import { describe, expect } from 'vitest'
import { test } from './settings-directory.ts'

describe('cors_origins', () => {
  test('is off by default', ({ directory }) => {
    expect(directory.load().settings.corsOrigins).toEqual([])
  })

  test.for([
    ['https://app.example.com', ['https://app.example.com']],
    ['http://localhost:5173, https://app.example.com', ['http://localhost:5173', 'https://app.example.com']],
    ['http://[::1]:3000', ['http://[::1]:3000']],
    ['*', ['*']],
  ] as const)('%s is taken', ([given, origins], { directory }) => {
    expect(directory.load({ CORS_ORIGINS: given }).settings.corsOrigins).toEqual(origins)
  })

  test.for([
    'app.example.com',
    'https://app.example.com/',
    'https://App.example.com',
    'https://app.example.com:443',
    'https://*.example.com',
    'null',
  ])('%s is refused: no browser would send it', (given, { directory }) => {
    expect(directory.faults({ CORS_ORIGINS: given })).toEqual(['CORS_ORIGINS: must be a list of origins'])
  })
})
