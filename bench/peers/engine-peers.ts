import type { PeerName, OpenContender } from '../engine/contender.ts'

/** The peers of the engine. They stand here because packages are looked for from a file's own folder. */
export async function openPeer(name: PeerName): Promise<OpenContender> {
  switch (name) {
    case 'mastra':
      return (await import('./mastra-engine.ts')).openMastra
    case 'langgraph':
      return (await import('./langgraph-engine.ts')).openLangGraphSync
    case 'langgraph-async':
      return (await import('./langgraph-engine.ts')).openLangGraphAsync
    case 'dbos':
      return (await import('./dbos-engine.ts')).openDbos
    case 'bullmq':
      return (await import('./bullmq-engine.ts')).openBullMq
    default:
      return name satisfies never
  }
}
