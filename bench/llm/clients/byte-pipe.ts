import { Agent, request } from 'undici'
import { bytesPerToken } from '../answer-frames.ts'
import type { OpenBenchClient } from '../bench-client.ts'
import { promptFor } from '../prompt.ts'

/** The floor: the bytes of the body are counted as they arrive, nothing looks into them. */
export const openBytePipe: OpenBenchClient = (baseUrl) => {
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0, allowH2: false })
  return {
    read: async (model, onTokens, signal) => {
      const { body } = await request(`${baseUrl}/chat/completions`, {
        dispatcher,
        signal,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...promptFor(model), stream: true }),
      })
      body.on('data', (piece: Buffer) => onTokens(piece.length / bytesPerToken))
      await new Promise((resolve, reject) => void body.once('end', resolve).once('error', reject))
    },
    close: () => dispatcher.destroy(),
  }
}
