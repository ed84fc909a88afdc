import { parseDemoOptions, USAGE } from './options.ts'
import { createPalette } from './palette.ts'
import { runDemo } from './run-demo.ts'

const DEFAULT_COLUMNS = 100
const WIDEST_COLUMNS = 120
/** npm passes Ctrl-C on although the terminal has sent it already: the second of such a pair is no second wish. */
const SAME_PRESS_MS = 700

/** Ctrl-C and its relatives as two signals: first politely, then at once. */
function listenForSignals() {
  const cancel = new AbortController()
  const abort = new AbortController()
  let firstAt = -Infinity
  const stop = () => {
    const now = performance.now()
    if (!cancel.signal.aborted) {
      firstAt = now
      cancel.abort(new Error('Stopped.'))
    } else if (now - firstAt > SAME_PRESS_MS) {
      abort.abort(new Error('Stopped.'))
    }
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  // The reader of a pipe has left: nobody is there to be told anything.
  process.stdout.on('error', () => abort.abort(new Error('The output was closed.')))
  return { cancel: cancel.signal, abort: abort.signal }
}

async function main(): Promise<number> {
  const options = parseDemoOptions(process.argv.slice(2))
  if (options.help) {
    process.stdout.write(USAGE)
    return 0
  }
  const { env, stdout } = process
  const colour = stdout.isTTY && !env['NO_COLOR'] && env['TERM'] !== 'dumb'
  const terminal = {
    write: (text: string) => void stdout.write(text),
    width: Math.min(WIDEST_COLUMNS, stdout.columns || DEFAULT_COLUMNS),
    palette: createPalette(colour),
    env,
  }
  return (await runDemo(options, terminal, listenForSignals())) ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
