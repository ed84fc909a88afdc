import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { closingFrame, frameOf, openingFrame, tokenEvent } from '../../bench/llm/answer-frames.ts'
import { createPacer, type Pacer } from '../../bench/pacer.ts'
import type { Pick } from '../nemesis/cluster.ts'

/** A model server whose answers take their time. */
export interface SoakModel {
  /** With `/v1`. */
  readonly url: string
  calls(): number
  close(): void
}

const [fewestTokens, mostTokens] = [60, 240]
const words = [' one', ' über', ' 三', ' 🙂', ' code', ',', ' and', ' so', ' on']

/** Starts it on a free port of 127.0.0.1; every answer has that many tokens a second. */
export async function startSoakModel({
  rate,
  pick,
}: {
  readonly rate: number
  readonly pick: Pick
}): Promise<SoakModel> {
  const pacer = createPacer({ rate, phases: 100 })
  let calls = 0
  const server = createServer((request, response) => {
    if (request.method === 'POST') {
      calls += 1
      answer(request, response, { pacer, pick })
    } else listModels(response)
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => void server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/v1`,
    calls: () => calls,
    close: () => {
      pacer.stop()
      server.close()
      server.closeAllConnections()
    },
  }
}

function listModels(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ object: 'list', data: [{ id: 'soak', object: 'model', owned_by: 'soak' }] }))
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { pacer, pick }: { readonly pacer: Pacer; readonly pick: Pick },
): void {
  request.resume()
  const { socket } = response
  if (socket === null) return
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.flushHeaders()
  socket.write(openingFrame)
  const tokens = pick(fewestTokens, mostTokens)
  let sent = 0
  const remove = pacer.add(() => {
    if (sent === tokens) {
      remove()
      socket.write(closingFrame(tokens))
      response.end()
    } else socket.write(frameOf(tokenEvent(words[pick(0, words.length - 1)] ?? '')))
    sent += 1
  })
  response.once('close', remove)
}
