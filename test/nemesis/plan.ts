import { pickFor } from '../chaos/fault-plan.ts'
import type { Pick } from './cluster.ts'
import type { Verb } from './tracked-workflow.ts'

/** What the nemesis does, and to whom. */
export type Strike =
  | { readonly kind: 'kill' | 'terminate'; readonly replica: number; readonly awayMs: number }
  | { readonly kind: 'freeze'; readonly replica: number; readonly forMs: number }
  | { readonly kind: 'crash_database' | 'stop_database'; readonly awayMs: number }
  | { readonly kind: 'cut_connections' | 'cut_calls' }
  | { readonly kind: 'refuse_calls'; readonly awayMs: number }
  | { readonly kind: 'verb'; readonly verb: Verb; readonly whom: number }

/** A strike and its time. */
export type PlannedStrike = Strike & {
  /** Milliseconds from the beginning of the storm. */
  readonly atMs: number
}

const replicas = 3
const frozenMs = 15_000
/**
 * A storm comes in gusts. In the last part of each nothing is killed, refused or cut: what was lost is taken over, and
 * the ledger of what begins then must be exact.
 */
const violentShare = 0.6
const gustMs = 30_000
const [shortestPauseMs, longestPauseMs] = [250, 1100]
const verbs: readonly Verb[] = ['cancel', 'cancel', 'resume', 'approve', 'reject', 'rerun']

/** The strikes of a seed. Each kind comes at least once, however short the storm. */
export function planStrikes(seed: number, stormMs: number): readonly PlannedStrike[] {
  const pick = pickFor(`strikes ${seed}`)
  const strikes: PlannedStrike[] = [{ atMs: 1500, kind: 'freeze', replica: pick(0, replicas - 1), forMs: frozenMs }]
  const due = shuffled<Strike['kind']>(
    ['kill', 'crash_database', 'terminate', 'cut_calls', 'refuse_calls', 'kill', 'cut_connections', 'stop_database'],
    pick,
  )
  const periodMs = stormMs / Math.max(1, Math.round(stormMs / gustMs))
  for (let atMs = 2000; atMs < stormMs; atMs += pick(shortestPauseMs, longestPauseMs)) {
    const violent = atMs % periodMs < violentShare * periodMs
    const kind = pick(1, 2) === 1 ? 'verb' : ((violent ? due.pop() : undefined) ?? drawKind(pick, violent))
    const strike = strikeOf(kind, pick)
    if (strike.kind !== 'freeze' || atMs + strike.forMs <= stormMs) strikes.push({ atMs, ...strike })
  }
  return strikes
}

/** Of a hundred strikes that are no verbs. */
const shares: readonly (readonly [Strike['kind'], number])[] = [
  ['kill', 26],
  ['terminate', 14],
  ['freeze', 14],
  ['crash_database', 8],
  ['stop_database', 6],
  ['cut_connections', 8],
  ['cut_calls', 14],
  ['refuse_calls', 10],
]
const gentle: ReadonlySet<Strike['kind']> = new Set(['verb', 'freeze', 'terminate'])

function drawKind(pick: Pick, violent: boolean): Strike['kind'] {
  let drawn = pick(0, 99)
  for (const [kind, share] of shares) {
    if (drawn < share) return violent || gentle.has(kind) ? kind : 'verb'
    drawn -= share
  }
  return 'verb'
}

function strikeOf(kind: Strike['kind'], pick: Pick): Strike {
  switch (kind) {
    case 'kill':
    case 'terminate':
      return { kind, replica: pick(0, replicas - 1), awayMs: pick(0, 2500) }
    case 'freeze':
      return { kind, replica: pick(0, replicas - 1), forMs: oneIn(3, pick) ? pick(1000, 13_000) : frozenMs }
    case 'crash_database':
    case 'stop_database':
      return { kind, awayMs: oneIn(6, pick) ? pick(8000, 20_000) : pick(0, 2500) }
    case 'refuse_calls':
      return { kind, awayMs: pick(500, 2500) }
    case 'cut_connections':
    case 'cut_calls':
      return { kind }
    case 'verb':
      return { kind, verb: verbOf(pick), whom: pick(0, 1_000_000) }
    default:
      return kind satisfies never
  }
}

function verbOf(pick: Pick): Verb {
  return verbs[pick(0, verbs.length - 1)] ?? 'cancel'
}

function oneIn(times: number, pick: Pick): boolean {
  return pick(1, times) === 1
}

function shuffled<T>(things: readonly T[], pick: Pick): T[] {
  const left = [...things]
  return things.map(() => left.splice(pick(0, left.length - 1), 1)[0] as T)
}
