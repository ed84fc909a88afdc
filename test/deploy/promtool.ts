import { spawnSync } from 'node:child_process'

/** What a run of it came to. */
export interface PromtoolResult {
  readonly ok: boolean
  /** Everything that it said. */
  readonly output: string
}

/** For tests that need it: why they are skipped. */
export const noPromtool = 'promtool is not on PATH (Debian has it in the package prometheus)'

/** Whether Prometheus's own checker is on this machine. */
export function hasPromtool(): boolean {
  return spawnSync('promtool', ['--version']).error === undefined
}

/** Runs it in `directory`, with `input` on its stdin. */
export function promtool(args: readonly string[], { directory = '.', input = '' } = {}): PromtoolResult {
  const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: directory, input, encoding: 'utf8' })
  return { ok: status === 0, output: `${stdout}${stderr}` }
}
