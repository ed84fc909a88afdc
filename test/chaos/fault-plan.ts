import { seededRandom } from '../smoke/seeded-random.ts'

/** How a call to the model goes; all but `none` and `slow` fail it. */
export type Fault = 'none' | 'drop' | 'malformed' | 'rateLimit' | 'disconnect' | 'cut' | 'slow'

/** Shares of all calls in hundredths of a per cent. Each 429 holds every call back for a second, so there are few. */
const shares: readonly (readonly [Fault, number])[] = [
  ['drop', 260],
  ['malformed', 220],
  ['rateLimit', 110],
  ['disconnect', 260],
  ['cut', 260],
  ['slow', 150],
]
const whole = 10_000
/** One workflow in so many has a step that no try can save, so that failing is looked at in every run. */
const doomedEvery = 200

/** What goes wrong is decided by the seed alone, whatever the order in which the service makes its calls. */
export interface FaultPlan {
  /** How the n-th call of a step goes, counted from 1. */
  faultOf(run: number, step: string, call: number): Fault
  /** Calls that the step needs for an answer; more than `most` means that it does not get one. */
  callsNeeded(run: number, step: string, most: number): number
}

/** The faults of one seed: together 12.6 % of the calls, and a few steps that get nothing else. */
export function createFaultPlan(seed: number): FaultPlan {
  const faultOf = (run: number, step: string, call: number): Fault => {
    if (isDoomed(run, step)) return 'drop'
    let drawn = pickFor(`${seed} ${run} ${step} ${call}`)(0, whole - 1)
    for (const [fault, share] of shares) {
      // an answer in one piece cannot break in its middle
      if (drawn < share) return fault === 'cut' && !isStreamed(run) ? 'disconnect' : fault
      drawn -= share
    }
    return 'none'
  }
  return {
    faultOf,
    callsNeeded(run, step, most) {
      let call = 1
      while (call <= most && isFailure(faultOf(run, step, call))) call += 1
      return call
    },
  }
}

/** Every seventh workflow asks the model for plain answers. */
export function isStreamed(run: number): boolean {
  return run % 7 !== 3
}

/** Whole numbers that depend on nothing but `text`. */
export function pickFor(text: string): (least: number, most: number) => number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return seededRandom(hash)
}

function isDoomed(run: number, step: string): boolean {
  return run % doomedEvery === 0 && /design|fix|creation|feasibility|left/.test(step)
}

function isFailure(fault: Fault): boolean {
  return fault !== 'none' && fault !== 'slow'
}
