import pino from 'pino'
import { traceContext } from '../trace-context.ts'
import { createRecordMaker, type LogFields, type LogLevel } from './log-line.ts'
import { openLogFile, type LogFile } from './log-file.ts'
import { createDescriptorOutput, createStreamOutput, type LogOutput } from './log-output.ts'
import { renderText } from './log-text.ts'
import { createScrub } from './scrub.ts'

/** Writes lines under one name. No method throws or waits. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warning(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  critical(message: string, fields?: LogFields): void
}

/** The log of the process. */
export interface Log {
  /** `name` is folder and file with dots, as `llm.client`. */
  logger(name: string): Logger
  /** Resolves when everything written so far is out, at the latest after 2 s. */
  flush(): Promise<void>
  /** Opens the file again if somebody else has moved it away. */
  reopen(): void
  /** Flushes and closes; lines written afterwards are dropped. At the latest after 2 s. */
  close(): Promise<void>
}

export interface LogOptions {
  readonly level: LogLevel
  /** JSON lines on stdout; false: readable text. The file always gets JSON lines. */
  readonly structured: boolean
  /** Colour in readable text. */
  readonly coloured: boolean
  /** Path of a file that gets every line as well; null: none. One that cannot be written is one WARNING. */
  readonly file: string | null
  /** Days that its archives are kept, it being rotated daily; 0, or nothing: it is not rotated. */
  readonly fileKeepDays?: number
  /** How often it is looked at, in milliseconds; default 10 s. */
  readonly fileCheckMs?: number
  /** Taken out of every line, beside what looks like a secret. */
  readonly secrets?: readonly string[]
  /** Instead of the process's own stdout. */
  readonly stdout?: { write(line: string): unknown }
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

const pinoLevels = {
  DEBUG: 'debug',
  INFO: 'info',
  WARNING: 'warn',
  ERROR: 'error',
  CRITICAL: 'fatal',
} as const satisfies Record<LogLevel, string>

/** The log: each line as the guide has it, with the ids of the work that it is written in (`traceContext`). */
export function createLogger(options: LogOptions): Log {
  const outputs: LogOutput[] = [createConsole(options)]
  const now = options.now ?? Date.now
  let closed = false
  const makeRecord = createRecordMaker(createScrub(options.secrets ?? []), { verbose: options.level === 'DEBUG' })
  const encoder = createEncoder(options.level, now, (line) => {
    for (const output of outputs) output.write(line)
  })

  const write = (
    logger: string,
    level: LogLevel,
    [message, fields = {}]: readonly [string, (LogFields | undefined)?],
  ): void => {
    const method = pinoLevels[level]
    if (closed || !encoder.isLevelEnabled(method)) return
    try {
      encoder[method](makeRecord({ level, logger, message, fields, ids: traceContext.getStore() ?? {} }))
    } catch {
      encoder[method]({ level, logger, message: 'A line could not be written: its fields cannot be read.' })
    }
  }
  const logger = (name: string): Logger => ({
    debug: (...line) => write(name, 'DEBUG', line),
    info: (...line) => write(name, 'INFO', line),
    warning: (...line) => write(name, 'WARNING', line),
    error: (...line) => write(name, 'ERROR', line),
    critical: (...line) => write(name, 'CRITICAL', line),
  })

  const file = options.file === null ? null : openFile(options.file, options, logger('observability.log'))
  if (file !== null) outputs.push(file)
  return {
    logger,
    reopen: () => file?.reopen(),
    flush: async () => {
      await Promise.all(outputs.map((output) => output.flush()))
    },
    close: async () => {
      closed = true
      await Promise.all(outputs.map((output) => output.close()))
    },
  }
}

function createEncoder(level: LogLevel, now: () => number, write: (line: string) => void): pino.Logger {
  return pino(
    {
      level: pinoLevels[level],
      base: null,
      messageKey: 'message',
      errorKey: 'error',
      // pino puts the level before everything: an empty one makes room for the timestamp, the record brings its own
      formatters: { level: () => ({}) },
      serializers: { err: (described: unknown) => described },
      timestamp: () => `"timestamp":"${new Date(now()).toISOString()}"`,
    },
    { write },
  )
}

function createConsole({ structured, coloured, stdout }: LogOptions): LogOutput {
  const silent = { failed: () => {}, recovered: () => {} }
  const output = stdout === undefined ? createDescriptorOutput(1, silent) : createStreamOutput(stdout)
  if (structured) return output
  return { ...output, write: (line) => output.write(renderText(line, { coloured })) }
}

function openFile(file: string, options: LogOptions, logger: Logger): LogFile | null {
  const { fileKeepDays: keepDays = 0, fileCheckMs: checkEveryMs = 10_000, now = Date.now } = options
  const observer = {
    failed: (reason: string) =>
      logger.warning('The log file cannot be written (LOG_FILE); stdout goes on.', { file, reason }),
    recovered: (lostLines: number | null) => logger.info('The log file is written again.', { file, lostLines }),
    rotationFailed: (reason: string) =>
      logger.warning('The log file cannot be rotated (LOG_FILE_KEEP_DAYS); it is tried again.', { file, reason }),
  }
  try {
    return openLogFile(file, { keepDays, checkEveryMs, now, observer })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    logger.warning('The log file cannot be opened (LOG_FILE); the log goes to stdout only.', { file, reason })
    return null
  }
}
