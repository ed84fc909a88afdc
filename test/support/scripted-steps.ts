import type { Behaviour, SeenCall } from './fault-answers.ts'

/** The step that a call is made for: the first line of its prompt names it. */
export function stepOf({ messages }: Pick<SeenCall, 'messages'>): string {
  const prompt = messages.find(({ role }) => role === 'user')?.content ?? ''
  return /^Step: (\S+)/.exec(prompt)?.[1] ?? ''
}

/** The prompt of a call, without the system's part and without what a continuation adds. */
export function promptOf({ messages }: Pick<SeenCall, 'messages'>): string {
  return messages.find(({ role }) => role === 'user')?.content ?? ''
}

/** Words and a file, both of which name their step. */
export function workOf(step: string): string {
  return `said-by-${step} 😀\r\ndata: not an event\n\n\`\`\`text:${step}.txt\nfile-of-${step}\n\`\`\`\n`
}

/** Answers every step with its work, except those that are scripted: one behaviour per call, the last one for ever. */
export function answerSteps(
  script: Readonly<Record<string, readonly (Behaviour | Promise<Behaviour>)[]>> = {},
): (call: SeenCall) => Behaviour | Promise<Behaviour> {
  const asked = new Map<string, number>()
  return (call) => {
    const step = stepOf(call)
    const before = asked.get(step) ?? 0
    asked.set(step, before + 1)
    return script[step]?.[before] ?? script[step]?.at(-1) ?? workOf(step)
  }
}

/** Something to wait for, opened by the test. */
export interface Latch {
  readonly opened: Promise<void>
  open(): void
}

export function createLatch(): Latch {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { opened: promise, open: resolve }
}

/** An answer that stops after its first delta until the latch is open. */
export function heldAnswer(step: string, latch: Latch): Behaviour {
  return { text: workOf(step), before: (delta) => (delta === 1 ? latch.opened : undefined) }
}
