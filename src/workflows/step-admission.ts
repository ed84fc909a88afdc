import { setTimeout as sleep } from 'node:timers/promises'
import type { Permit, Target } from '../llm/model.ts'
import { toFailure } from './failure.ts'
import { untried } from './pass.ts'
import type { Place } from './places.ts'
import { candidatesOf, timedOut } from './run.ts'
import type { Run, StepRunnerParts } from './run.ts'

/** What a step may begin with. Both are to be released. */
export interface Start {
  readonly place: Place
  readonly permit: Permit
  /** Everywhere where it could be made, the place of the permit included. */
  readonly targets: readonly Target[]
}

/** Waits until the step may be tried: its not-before time, an endpoint that lets it in, a place. null: it may not any more. */
export async function admitStep(parts: StepRunnerParts, run: Run): Promise<Start | null> {
  const { hold, watch } = run
  let targets: readonly Target[] = []
  try {
    watch.start()
    for (;;) {
      targets = await parts.model.targets(wantedModel(parts, run), run.waiting)
      const start = await tryToBegin(parts, run, targets)
      if (start !== null) return { ...start, targets }
    }
  } catch (error) {
    if (hold.over.aborted || parts.draining.aborted) return null
    if (!watch.timeUp.aborted) throw error
    await failWaiting(parts, run, targets)
    return null
  }
}

function wantedModel({ agents, promptRepair }: StepRunnerParts, { hold, index, pass }: Run): string | null {
  if (pass.otherModel) return promptRepair.fallbackModel
  const { definition } = hold.step(index)
  return definition.options.model ?? hold.state().options.model ?? agents.profile(definition.role)?.model ?? null
}

/** The time that it waits for a place, for one of an endpoint's, or for the retry budget is not its own. null: a door closed meanwhile. */
async function tryToBegin(
  { model, places, clock, draining }: StepRunnerParts,
  run: Run,
  targets: readonly Target[],
): Promise<Omit<Start, 'targets'> | null> {
  const { hold, index, watch, waiting, pass } = run
  const { notBefore } = hold.step(index)
  const { id: workflowId, priority, createdAt } = hold.state()
  if (notBefore !== null) await sleep(Math.max(0, notBefore - clock.now()), undefined, { signal: waiting })
  const isReady = (target: Target) => model.readyInMs(candidatesOf(run, [target])) === 0
  const candidates = candidatesOf(run, untried(pass, targets, isReady))
  await model.whenReady({ ...candidates, isRetry: false }, waiting)
  watch.pause()
  const turn = AbortSignal.any([hold.over, draining])
  // a step that has to wait because others have repeated their calls must not fail by it
  await model.whenReady(candidates, turn)
  const begin = () => {
    const permit = model.admit(candidates)
    return permit === 'full' ? null : permit
  }
  const { place, begun } = await places.acquire({ workflowId, priority, createdAt, begin }, turn)
  watch.start()
  if (begun !== 'closed') return { place, permit: begun }
  place.release()
  return null
}

/** Its time ran out while it could not be tried: a new start would wait as long. */
async function failWaiting(parts: StepRunnerParts, run: Run, targets: readonly Target[]): Promise<void> {
  const refusal = targets.length === 0 ? null : parts.model.refusal(candidatesOf(run, targets))
  const failure = refusal === null ? timedOut(run) : toFailure(refusal)
  const message = refusal === null ? failure.message : `${failure.message} ${timedOut(run).message}`
  await run.hold.change({ happening: { type: 'step_failed', step: run.index, failure: { ...failure, message } } })
}
