import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test as base } from 'vitest'
import { ConfigError } from '../../src/config/config-error.ts'
import { createValidator } from '../../src/config/validate.ts'
import { loadSettings, type LoadedSettings } from '../../src/config/load.ts'

/** An empty working directory, and the settings that a process started in it would have. */
export interface SettingsDirectory {
  readonly path: string
  /** Writes a file below the directory. */
  write(file: string, content: string): void
  /** Loads with these variables and arguments. */
  load(env?: Record<string, string>, argv?: readonly string[]): LoadedSettings
  /** Loads, and gives the faults as `place: detail`; none where it loads. */
  faults(env?: Record<string, string>, argv?: readonly string[]): readonly string[]
}

const validate = createValidator()

/** Tests with a working directory of their own. */
export const test = base.extend<{ directory: SettingsDirectory }>({
  // oxlint-disable-next-line no-empty-pattern -- vitest reads the fixtures that are needed from the pattern
  directory: async ({}, use) => {
    const path = mkdtempSync(join(tmpdir(), 'settings-'))
    await use(createSettingsDirectory(path))
    rmSync(path, { recursive: true })
  },
})

function createSettingsDirectory(path: string): SettingsDirectory {
  const load = (env: Record<string, string> = {}, argv: readonly string[] = []) =>
    loadSettings({ argv, env, cwd: path }, validate)
  return {
    path,
    load,
    write(file, content) {
      mkdirSync(dirname(join(path, file)), { recursive: true })
      writeFileSync(join(path, file), content)
    },
    faults(env, argv) {
      try {
        load(env, argv)
        return []
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
        return error.faults.map(({ place, detail }) => `${place}: ${detail}`)
      }
    },
  }
}
