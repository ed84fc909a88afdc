import { randomUUID } from 'node:crypto'
import type { Contender, ContenderParts, OpenContender } from '../engine/contender.ts'
import { checkOutputs, sixSteps } from '../engine/six-steps.ts'
import { importPackage } from './import-package.ts'

type Texts = Readonly<Record<string, string>>

interface Graph {
  addNode(name: string, node: () => { readonly texts: Texts }): Graph
  addEdge(from: string | readonly string[], to: string): Graph
  compile(options: Readonly<Record<string, unknown>>): {
    invoke(
      input: Readonly<Record<string, unknown>>,
      options: Readonly<Record<string, unknown>>,
    ): Promise<{ readonly texts: Texts }>
  }
}

interface LangGraph {
  readonly START: string
  readonly END: string
  readonly StateGraph: new (state: unknown) => Graph
  readonly Annotation: ((spec: Readonly<Record<string, unknown>>) => unknown) & {
    Root(spec: Readonly<Record<string, unknown>>): unknown
  }
}

interface Checkpoints {
  readonly PostgresSaver: {
    fromConnString(url: string): { setup(): Promise<void>; end(): Promise<void> }
  }
}

/** A graph whose next node waits until the checkpoint before it is stored. */
export const openLangGraphSync: OpenContender = (parts) => openGraph(parts, 'sync')

/** A graph as it is by default: a checkpoint is stored while the next node runs. */
export const openLangGraphAsync: OpenContender = (parts) => openGraph(parts, 'async')

async function openGraph(parts: ContenderParts, durability: 'sync' | 'async'): Promise<Contender> {
  const { databaseUrl, output } = parts
  const langGraph = await importPackage<LangGraph>('@langchain/langgraph')
  const { PostgresSaver } = await importPackage<Checkpoints>('@langchain/langgraph-checkpoint-postgres')
  const checkpointer = PostgresSaver.fromConnString(databaseUrl)
  await checkpointer.setup()
  const graph = sixNodeGraph(langGraph, output).compile({ checkpointer })
  return {
    async run() {
      const configurable = { thread_id: randomUUID() }
      const { texts } = await graph.invoke({ texts: {} }, { configurable, durability })
      checkOutputs(
        Object.values(sixSteps).map((id) => texts[id]),
        output,
      )
    },
    close: () => checkpointer.end(),
  }
}

function sixNodeGraph({ StateGraph, Annotation, START, END }: LangGraph, output: string): Graph {
  const texts = Annotation({ reducer: (a: Texts, b: Texts) => ({ ...a, ...b }), default: () => ({}) })
  const graph = new StateGraph(Annotation.Root({ texts }))
  for (const id of Object.values(sixSteps)) graph.addNode(id, () => ({ texts: { [id]: output } }))
  const { first, second, third, left, right, last } = sixSteps
  return graph
    .addEdge(START, first)
    .addEdge(first, second)
    .addEdge(second, third)
    .addEdge(third, left)
    .addEdge(third, right)
    .addEdge([left, right], last)
    .addEdge(last, END)
}
