import type { OpenContender } from '../engine/contender.ts'
import { checkOutputs, sixSteps } from '../engine/six-steps.ts'
import { importPackage } from './import-package.ts'

interface Package {
  readonly DBOS: {
    setConfig(config: Readonly<Record<string, unknown>>): void
    launch(): Promise<void>
    shutdown(): Promise<void>
    registerWorkflow<Result>(work: () => Promise<Result>, config: { readonly name: string }): () => Promise<Result>
    runStep<Result>(work: () => Promise<Result>, config: { readonly name: string }): Promise<Result>
    startWorkflow<Result>(work: () => Promise<Result>): () => Promise<{ getResult(): Promise<Result> }>
  }
}

/** A registered workflow of six steps, whose results DBOS keeps in its system database. */
export const openDbos: OpenContender = async ({ databaseUrl, output }) => {
  const { DBOS } = await importPackage<Package>('@dbos-inc/dbos-sdk')
  DBOS.setConfig({ name: 'bench', systemDatabaseUrl: databaseUrl, logLevel: 'error' })
  const step = (name: string) => DBOS.runStep(async () => output, { name })
  const workflow = DBOS.registerWorkflow(
    async () => {
      const { first, second, third, left, right, last } = sixSteps
      const texts = [await step(first), await step(second), await step(third)]
      texts.push(...(await Promise.all([step(left), step(right)])))
      return [...texts, await step(last)]
    },
    { name: 'bench' },
  )
  await DBOS.launch()
  return {
    async run() {
      const handle = await DBOS.startWorkflow(workflow)()
      checkOutputs(await handle.getResult(), output)
    },
    close: () => DBOS.shutdown(),
  }
}
