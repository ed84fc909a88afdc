const interruptedExitCode = 130

/** What a benchmark is given by its command. */
export interface CommandParts {
  /** Aborted when somebody wants it to stop. */
  readonly signal: AbortSignal
  /** Told in words what goes on. */
  readonly progress: (line: string) => void
}

/** Runs a benchmark to its end or to the first signal, and sets the exit code of the process. */
export async function runCommand(work: (parts: CommandParts) => Promise<void>): Promise<void> {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort())
  try {
    await work({ signal: stop.signal, progress: (line) => void process.stderr.write(`${line}\n`) })
  } catch (error) {
    const told = stop.signal.aborted ? 'Stopped.' : error instanceof Error ? error.message : String(error)
    process.stderr.write(`${told}\n`)
    process.exitCode = stop.signal.aborted ? interruptedExitCode : 1
  }
}
