import type { Palette } from './palette.ts'
import type { RunProgress } from './run-progress.ts'
import type { StreamEvent } from './stream-event.ts'

/** A duration as people say it: `850 ms`, `7.9 s`, `1 min 05 s`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`
}

/** A whole number with thin groups of three: `12 345`. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ' ')
}

/** `1 file`, `2 files`. */
export function formatQuantity(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** The lines that a lifecycle event is worth in the chat, and its effect on the progress; none for what needs no telling. */
export function describeNotice(event: StreamEvent, progress: RunProgress, palette: Palette): readonly string[] {
  const step = event.step ?? ''
  switch (event.type) {
    case 'workflow.queued':
      return [`${palette.dim('Plan')}  ${progress.describePlan()}`]
    case 'workflow.resumed':
    case 'workflow.waiting':
      return [palette.warn(`The workflow is ${event.type.slice('workflow.'.length)}.`)]
    case 'step.started':
      return describeTakeover(event, progress, palette)
    case 'step.continued':
      return [palette.warn(`↪ ${step}: the output limit was reached, the model goes on (${event.n ?? 1})`)]
    case 'artifact.created':
      return [describeFile(event, palette)]
    case 'step.retrying':
      return [describeRetry(event, palette)]
    default:
      return describeStepEnd(event, progress, palette)
  }
}

function describeFile({ path = '', bytes = 0 }: StreamEvent, palette: Palette): string {
  return `  ${palette.good('+')} ${path} ${palette.dim(`${formatCount(bytes)} bytes`)}`
}

function describeTakeover(event: StreamEvent, progress: RunProgress, palette: Palette): readonly string[] {
  const step = event.step ?? ''
  const role = event.role ?? progress.roleOf(step)
  progress.reopened(step)
  if ((event.attempt ?? 1) > 1) return [palette.role(role, `▶ ${role} tries again: ${step}, attempt ${event.attempt}`)]
  const before = progress.dependsOn(step)
  const builds = before.length === 0 ? '' : palette.dim(`, builds on ${before.join(' and ')}`)
  return ['', `${palette.bold(palette.role(role, `▶ ${role} takes over: ${step}`))}${builds}`]
}

function describeRetry(event: StreamEvent, palette: Palette): string {
  const why = event.error ? `${event.error.code}: ${event.error.message}` : 'no reason given'
  const wait = event.delay_ms ? `in ${formatDuration(event.delay_ms)}` : 'at once'
  const mark = palette.strike(palette.warn(`attempt ${event.attempt ?? 1} of ${event.step ?? ''}`))
  return `${palette.warn('↻')} ${mark} ${palette.warn(`is void, forget its text above (${why}); the next try comes ${wait}`)}`
}

function describeStepEnd(event: StreamEvent, progress: RunProgress, palette: Palette): readonly string[] {
  const step = event.step ?? ''
  const took = typeof event.duration_ms !== 'number' ? '' : ` in ${formatDuration(event.duration_ms)}`
  const why = describeCause(event)
  switch (event.type) {
    case 'step.completed':
      progress.ended(step)
      return [`${palette.good(progress.bar())}${palette.dim(` · ${step} done${took}${describeYield(event)}`)}`]
    case 'step.incomplete':
      progress.ended(step)
      return [`${palette.warn(progress.bar())} · ${palette.warn(`${step} is incomplete${took}${why}`)}`]
    case 'step.failed':
      progress.ended(step)
      return [palette.bad(`✗ ${step} failed${why}`)]
    case 'step.skipped':
      progress.ended(step)
      return [palette.warn(`⤼ ${step} is skipped${why}`)]
    case 'step.cancelled':
      progress.ended(step)
      return [palette.warn(`✗ ${step} is cancelled`)]
    default:
      return []
  }
}

function describeYield(event: StreamEvent): string {
  const files = event.artifacts?.length ?? 0
  const parts = [
    files > 0 ? formatQuantity(files, 'file') : '',
    event.usage === undefined ? '' : `${formatCount(event.usage.output_tokens)} tokens`,
  ].filter((part) => part !== '')
  return parts.length === 0 ? '' : ` · ${parts.join(' · ')}`
}

function describeCause(event: StreamEvent): string {
  if (event.error) return `: ${event.error.code}: ${event.error.message}`
  if (event.dependency) return `: it needs ${event.dependency}`
  return event.reason ? `: ${event.reason}` : ''
}
