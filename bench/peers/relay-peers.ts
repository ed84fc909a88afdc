import type { PeerName } from '../relay/contender.ts'

/** Starts a peer between a reader and the model server, on 127.0.0.1; resolves with its port. */
export async function openPeerRelay(name: PeerName, modelUrl: string): Promise<number> {
  switch (name) {
    case 'portkey':
      return (await import('./portkey-relay.ts')).openPortkey()
    case 'ai':
      return (await import('./ai-relay.ts')).openAiRelay(modelUrl)
    default:
      return name satisfies never
  }
}
