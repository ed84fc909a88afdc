import type { OpenContender } from '../engine/contender.ts'
import { checkOutputs, sixSteps } from '../engine/six-steps.ts'
import { importPackage } from './import-package.ts'

interface Steps {
  then(step: unknown): Steps
  parallel(steps: readonly unknown[]): Steps
  commit(): unknown
}

interface RunResult {
  readonly status: string
  readonly steps: Readonly<Record<string, { readonly output?: { readonly text?: unknown } }>>
}

interface Workflows {
  readonly createStep: (step: Readonly<Record<string, unknown>>) => unknown
  readonly createWorkflow: (workflow: Readonly<Record<string, unknown>>) => Steps
}

interface Core {
  readonly Mastra: new (options: Readonly<Record<string, unknown>>) => {
    getWorkflow(id: string): {
      createRun(): Promise<{ start(start: Readonly<Record<string, unknown>>): Promise<RunResult> }>
    }
  }
}

interface Pg {
  readonly PostgresStore: new (options: Readonly<Record<string, unknown>>) => {
    init(): Promise<void>
    close(): Promise<void>
  }
}

interface Zod {
  readonly z: {
    string(): unknown
    any(): unknown
    object(shape: Readonly<Record<string, unknown>>): unknown
  }
}

/** A workflow whose snapshot Mastra keeps in Postgres after every step, as it does by default. */
export const openMastra: OpenContender = async ({ databaseUrl, output }) => {
  const { Mastra } = await importPackage<Core>('@mastra/core')
  const workflows = await importPackage<Workflows>('@mastra/core/workflows')
  const { PostgresStore } = await importPackage<Pg>('@mastra/pg')
  const storage = new PostgresStore({ id: 'bench', connectionString: databaseUrl })
  await storage.init()
  const bench = sixStepWorkflow(workflows, await importPackage<Zod>('zod'), output)
  const mastra = new Mastra({ storage, workflows: { bench }, logger: false })
  return {
    async run() {
      const run = await mastra.getWorkflow('bench').createRun()
      const { status, steps } = await run.start({ inputData: {} })
      if (status !== 'success') throw new Error(`A run of Mastra ended as ${status}.`)
      checkOutputs(
        Object.values(sixSteps).map((id) => steps[id]?.output?.text),
        output,
      )
    },
    close: () => storage.close(),
  }
}

function sixStepWorkflow({ createStep, createWorkflow }: Workflows, { z }: Zod, output: string): unknown {
  const outputSchema = z.object({ text: z.string() })
  const step = (id: string) => {
    return createStep({ id, inputSchema: z.any(), outputSchema, execute: async () => ({ text: output }) })
  }
  const { first, second, third, left, right, last } = sixSteps
  return createWorkflow({ id: 'bench', inputSchema: z.any(), outputSchema })
    .then(step(first))
    .then(step(second))
    .then(step(third))
    .parallel([step(left), step(right)])
    .then(step(last))
    .commit()
}
