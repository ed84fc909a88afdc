import * as fc from 'fast-check'
import { expect } from 'vitest'
import { attachmentNamed } from '../../src/http/send-file.ts'
import { test } from '../support/http-app.ts'
import type { TestApp } from '../support/http-app.ts'
import { zipEntries } from '../support/zip-entries.ts'

const good = { type: 'feature_development', requirement: 'A REST API' }

async function withFiles(made: TestApp): Promise<string> {
  const answer = await made.app.inject({ method: 'POST', url: '/workflows', payload: good })
  const { id } = answer.json<{ id: string }>()
  made.service.addFile(id, { path: 'src/app.py', content: Buffer.from('old'), media_type: 'text/x-python' })
  made.service.addFile(id, { path: 'src/app.py', content: Buffer.from('print("😀")\r\n'), media_type: 'text/x-python' })
  made.service.addFile(id, { path: 'seite ä.html', content: Buffer.from('<script>'), media_type: 'text/html' })
  return `/workflows/${id}/artifacts`
}

test('the list has the newest version per path', async ({ edge }) => {
  const made = await edge()
  const { data } = (await made.app.inject(await withFiles(made))).json<{ data: { path: string; version: number }[] }>()
  expect(data.map(({ path, version }) => [path, version])).toEqual([
    ['src/app.py', 2],
    ['seite ä.html', 1],
  ])
})

test('a file is sent so that nothing of it runs', async ({ edge }) => {
  const made = await edge()
  const url = await withFiles(made)
  const page = await made.app.inject(`${url}/${encodeURIComponent('seite ä.html')}`)
  expect(page.body).toBe('<script>')
  expect(page.headers).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'content-disposition': `attachment; filename="seite _.html"; filename*=UTF-8''seite%20%C3%A4.html`,
    'x-content-type-options': 'nosniff',
  })
  expect(page.headers['content-security-policy']).toContain("default-src 'none'; sandbox")
})

test('versions, ranges, ETag', async ({ edge }) => {
  const made = await edge()
  const url = `${await withFiles(made)}/src/app.py`
  const get = (headers: Record<string, string> = {}, query = '') => made.app.inject({ url: `${url}${query}`, headers })
  const whole = await get()
  expect(whole.body).toBe('print("😀")\r\n')
  const etag = String(whole.headers.etag)
  expect(etag).toMatch(/^"[0-9a-f]{64}"$/)
  expect((await get({}, '?version=1')).body).toBe('old')
  expect((await get({}, '?version=3')).statusCode).toBe(404)
  expect((await get({}, '?version=0')).statusCode).toBe(400)
  expect((await get({ 'if-none-match': etag })).statusCode).toBe(304)
  const part = await get({ range: 'bytes=0-4' })
  expect([part.statusCode, part.body, part.headers['content-range']]).toEqual([206, 'print', 'bytes 0-4/15'])
  expect((await get({ range: 'bytes=0-4', 'if-range': '"other"' })).statusCode).toBe(200)
  const outside = await get({ range: 'bytes=99-' })
  expect([outside.statusCode, outside.headers['content-range']]).toEqual([416, 'bytes */15'])
  const head = await made.app.inject({ method: 'HEAD', url })
  expect([head.statusCode, head.headers['content-length'], head.body]).toEqual([200, '15', ''])
})

test('the archive holds all current files', async ({ edge }) => {
  const made = await edge()
  const url = (await withFiles(made)).replace('/artifacts', '/artifacts.zip')
  const archive = await made.app.inject(url)
  expect(archive.headers['content-type']).toBe('application/zip')
  expect(archive.headers['content-disposition']).toContain('wf_1.zip')
  expect(archive.rawPayload.subarray(0, 4).toString('latin1')).toBe('PK\u0003\u0004')
  expect(archive.rawPayload.includes('seite ä.html')).toBe(true)
})

test('an archive is broken off when a file cannot be read', async ({ edge }) => {
  const made = await edge()
  const url = (await withFiles(made)).replace('/artifacts', '/artifacts.zip')
  made.service.artifact = () => Promise.reject(new Error('away'))
  const answer = await fetch(`${await made.listen()}${url}`)
  await expect(answer.arrayBuffer()).rejects.toThrow('terminated')
})

test('an archive holds regular files with good names only, and says what it leaves out', async ({ edge }) => {
  const made = await edge()
  const url = await withFiles(made)
  const id = url.split('/')[2] ?? ''
  const hostile = [
    '../../etc/cron.d/x',
    '/abs',
    'C:\\x',
    'a\\..\\b',
    '.git/hooks/pre-commit',
    'src',
    'SRC/APP.py',
    'nul.txt',
  ]
  for (const path of hostile) made.service.addFile(id, { path, content: Buffer.from('x'), media_type: 'text/plain' })
  const archive = await made.app.inject(url.replace('/artifacts', '/artifacts.zip'))
  const entries = zipEntries(archive.rawPayload)
  const names = entries.map(({ name }) => name)
  expect(names.toSorted()).toEqual(['.workflow/left-out.json', 'seite ä.html', 'src/app.py'])
  for (const { mode } of entries) expect(mode.toString(8)).toBe('100644')
})

test('whatever is sent of a model’s files says that nothing of it runs', async ({ edge }) => {
  const made = await edge()
  const url = await withFiles(made)
  const etag = String((await made.app.inject(`${url}/src/app.py`)).headers.etag)
  const answers = await Promise.all([
    made.app.inject(`${url}/src/app.py`),
    made.app.inject({ method: 'HEAD', url: `${url}/src/app.py` }),
    made.app.inject({ url: `${url}/src/app.py`, headers: { range: 'bytes=0-1' } }),
    made.app.inject({ url: `${url}/src/app.py`, headers: { range: 'bytes=99-' } }),
    made.app.inject({ url: `${url}/src/app.py`, headers: { 'if-none-match': etag } }),
    made.app.inject(url.replace('/artifacts', '/artifacts.zip')),
  ])
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 206, 416, 304, 200])
  for (const { headers } of answers) {
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['content-security-policy']).toBe("default-src 'none'; sandbox; frame-ancestors 'none'")
  }
})

test('a name in Content-Disposition ends no header and no quotes, and hides nothing', () => {
  const name = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .array(
        fc.constantFrom('"', '\\', ';', '\r\n', "'", '%22', '*', '\0', '\u202e', '\u200b', '/', '..', 'ä', '😀', 'a'),
      )
      .map((pieces) => pieces.join('')),
  )
  fc.assert(
    fc.property(name, (written) => {
      const header = attachmentNamed(written)
      const parts = /^attachment; filename="([ !#$&-[\]-~]*)"; filename\*=UTF-8''([\w!~.%-]*)$/.exec(header)
      expect(parts).not.toBeNull()
      const decoded = decodeURIComponent(parts?.[2] ?? '')
      expect(decoded).not.toMatch(/[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}/\\]/u)
      expect(Array.from(decoded)).toHaveLength(Array.from(written).length)
    }),
  )
})
