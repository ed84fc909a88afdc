import { chmod, link, mkdir, readFile, readdir, rename, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { gunzipSync, gzipSync } from 'node:zlib'
import { expect, test as base } from 'vitest'
import { openLogFile } from '../../src/observability/log-file.ts'
import type { LogFile } from '../../src/observability/log-file.ts'
import { temporaryDirectory } from '../support/database.ts'

const dayMs = 86_400_000

/** A directory with a log file, written by processes whose clock goes ahead of the file system's as far as is wanted. */
interface Place {
  readonly file: string
  readonly told: string[]
  daysAhead: number
  day(ago: number): string
  open(keepDays?: number): LogFile
  /** Every file there, as text; compressed ones too. */
  files(): Promise<Readonly<Record<string, string>>>
  /** Resolves when the files are these. */
  become(files: Readonly<Record<string, string>>): Promise<void>
}

const test = base.extend<{ place: Place }>({
  place: async ({}, use) => {
    const { path, remove } = await temporaryDirectory()
    const opened: LogFile[] = []
    const told: string[] = []
    const file = join(path, 'logs', 'service.log')
    const place: Place = {
      file,
      told,
      daysAhead: 0,
      day: (ago) => new Date(Date.now() + (place.daysAhead - ago) * dayMs).toISOString().slice(0, 10),
      open(keepDays = 14) {
        const log = openLogFile(file, {
          keepDays,
          now: () => Date.now() + place.daysAhead * dayMs,
          checkEveryMs: 20,
          observer: {
            failed: (reason) => told.push(`failed: ${reason}`),
            recovered: () => told.push('recovered'),
            rotationFailed: (reason) => told.push(`rotation failed: ${reason}`),
          },
        })
        opened.push(log)
        return log
      },
      async files() {
        const names = await readdir(join(path, 'logs'))
        const texts = names.map(async (name) => {
          const bytes = await readFile(join(path, 'logs', name))
          return [name, (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()] as const
        })
        return Object.fromEntries(await Promise.all(texts))
      },
      async become(files) {
        await expect.poll(() => place.files().catch(() => null), { timeout: 20_000 }).toEqual(files)
      },
    }
    await use(place)
    await Promise.all(opened.map((log) => log.close()))
    await remove()
  },
})

async function leave(place: Place, name: string, { text = '', daysAgo = 0 }): Promise<void> {
  await mkdir(join(place.file, '..'), { recursive: true })
  const path = join(place.file, '..', name)
  await writeFile(path, name.endsWith('.gz') ? gzipSync(text) : text)
  const at = new Date(Date.now() - daysAgo * dayMs)
  await utimes(path, at, at)
}

test('the first line of a day begins a new file; the last of the day before is in its own', async ({ place }) => {
  const log = place.open()
  log.write('old 1\n')
  await log.flush()
  log.write('old 2\n')
  place.daysAhead = 1
  log.write('new\n')
  await place.become({ 'service.log': 'new\n', [`service.log.${place.day(1)}`]: 'old 1\nold 2\n' })
  for (const name of ['service.log', `service.log.${place.day(1)}`]) {
    expect((await stat(join(place.file, '..', name))).mode & 0o137).toBe(0)
  }
})

test('a process that writes nothing rotates too, but no empty file', async ({ place }) => {
  const log = place.open()
  log.write('old\n')
  await log.flush()
  place.daysAhead = 1
  const yesterday = `service.log.${place.day(1)}`
  await place.become({ 'service.log': '', [yesterday]: 'old\n' })
  place.daysAhead = 2
  // Yesterday's was plain; now it is older.
  await place.become({ 'service.log': '', [`${yesterday}.gz`]: 'old\n' })
})

test('who did not run at midnight rotates at the start, under the day of the last line', async ({ place }) => {
  await leave(place, 'service.log', { text: 'three days old\n', daysAgo: 3 })
  const log = place.open()
  log.write('new\n')
  await place.become({ 'service.log': 'new\n', [`service.log.${place.day(3)}.gz`]: 'three days old\n' })
})

test('an empty file of another day, and one of today, is gone on with', async ({ place }) => {
  await leave(place, 'service.log', { text: '', daysAgo: 3 })
  place.open().write('one\n')
  await place.become({ 'service.log': 'one\n' })
  place.open().write('two\n')
  await place.become({ 'service.log': 'one\ntwo\n' })
})

test('yesterday’s is plain, older ones are gzipped, those past their time go, and what is not ours stays', async ({
  place,
}) => {
  const named = (ago: number, end = '') => `service.log.${place.day(ago)}${end}`
  await leave(place, named(1), { text: 'yesterday' })
  await leave(place, named(2), { text: 'older' })
  await leave(place, named(2, '.1'), { text: 'older, a second part' })
  await leave(place, named(3, '.gz'), { text: 'oldest kept' })
  await leave(place, named(4, '.gz'), { text: 'past' })
  await leave(place, named(9), { text: 'long past' })
  await leave(place, named(2, '.gz.4711.partial'), { text: 'of a process that died', daysAgo: 1 })
  await leave(place, `other.log.${place.day(9)}`, { text: 'somebody else’s' })
  await leave(place, 'service.log.old', { text: 'somebody else’s' })
  place.open(3)
  await place.become({
    'service.log': '',
    [named(1)]: 'yesterday',
    [named(2, '.gz')]: 'older',
    [named(2, '.1.gz')]: 'older, a second part',
    [named(3, '.gz')]: 'oldest kept',
    [`other.log.${place.day(9)}`]: 'somebody else’s',
    'service.log.old': 'somebody else’s',
  })
  expect((await stat(join(place.file, '..', named(2, '.gz')))).mode & 0o137).toBe(0)
})

test('a name that is taken is not written over', async ({ place }) => {
  await leave(place, `service.log.${place.day(0)}`, { text: 'there before' })
  const log = place.open()
  log.write('old\n')
  await log.flush()
  place.daysAhead = 1
  log.write('new\n')
  await place.become({
    'service.log': 'new\n',
    [`service.log.${place.day(1)}`]: 'there before',
    [`service.log.${place.day(1)}.1`]: 'old\n',
  })
})

test('several processes on one file lose no line over many days', async ({ place }) => {
  const processes = Array.from({ length: 4 }, () => place.open(100))
  const written: string[] = []
  for (let day = 0; day < 6; day += 1) {
    place.daysAhead = day
    for (let n = 0; n < 50; n += 1) {
      for (const [process, log] of processes.entries()) {
        const line = `${place.day(0)} ${process} ${n}`
        written.push(line)
        log.write(`${line}\n`)
      }
      if (n % 10 === 0) await pause(1)
    }
    await Promise.all(processes.map((log) => log.flush()))
  }
  await Promise.all(processes.map((log) => log.close()))
  const lines = async () => {
    const files = Object.entries(await place.files()).filter(([name]) => !name.endsWith('.partial'))
    return files.flatMap(([, text]) => text.trimEnd().split('\n')).toSorted()
  }
  // Until the last archive that was being compressed is one file again.
  await expect.poll(() => lines().catch(() => null), { timeout: 20_000 }).toEqual(written.toSorted())
  expect(place.told).toEqual([])
})

test('what a process that died has left half done is ended', async ({ place }) => {
  const log = place.open()
  log.write('old\n')
  await log.flush()
  // It has the name of its day, and its old one still.
  await link(place.file, `${place.file}.${place.day(0)}`)
  place.daysAhead = 1
  log.write('late\n')
  const old = { [`service.log.${place.day(1)}`]: 'old\nlate\n' }
  await place.become({ 'service.log': '', ...old })
  log.write('new\n')
  await place.become({ 'service.log': 'new\n', ...old })
})

test('rotated from outside: copytruncate goes on at the start, a file moved away is made anew', async ({ place }) => {
  const log = place.open(0)
  log.write('one\n')
  await log.flush()
  await truncate(place.file)
  log.write('two\n')
  await log.flush()
  expect(await place.files()).toEqual({ 'service.log': 'two\n' })
  await rename(place.file, `${place.file}.1`)
  log.reopen()
  await place.become({ 'service.log': '', 'service.log.1': 'two\n' })
  log.write('three\n')
  await place.become({ 'service.log': 'three\n', 'service.log.1': 'two\n' })
  place.daysAhead = 3
  log.write('four\n')
  await place.become({ 'service.log': 'three\nfour\n', 'service.log.1': 'two\n' })
  expect(place.told).toEqual([])
})

test('a directory that vanishes is one WARNING, and is made again', async ({ place }) => {
  const log = place.open()
  log.write('lost\n')
  await log.flush()
  await rm(join(place.file, '..'), { recursive: true })
  await place.become({ 'service.log': '' })
  log.write('one\n')
  await place.become({ 'service.log': 'one\n' })
  expect(place.told).toEqual(['failed: it was deleted', 'recovered'])
})

test('one that cannot be made again is one WARNING, not an end', async ({ place }) => {
  const directory = join(place.file, '..')
  const log = place.open()
  log.write('lost\n')
  await log.flush()
  await rm(directory, { recursive: true })
  await writeFile(directory, 'in the way')
  await expect.poll(() => place.told).toContain('failed: it was deleted')
  log.write('lost too\n')
  place.daysAhead = 1
  log.write('lost too\n')
  await rm(directory)
  await place.become({ 'service.log': '' })
  expect(place.told).toEqual(['failed: it was deleted', 'recovered'])
})

test('an archive that cannot be written is one WARNING, and tried again', async ({ place, skip }) => {
  skip(process.getuid?.() === 0, 'nothing is forbidden to root')
  await leave(place, `service.log.${place.day(2)}`, { text: 'older' })
  place.open()
  await chmod(join(place.file, '..'), 0o500)
  await expect.poll(() => place.told).toEqual(['rotation failed: EACCES'])
  await chmod(join(place.file, '..'), 0o700)
  await place.become({ 'service.log': '', [`service.log.${place.day(2)}.gz`]: 'older' })
})
