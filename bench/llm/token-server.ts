import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import {
  type BenchModel,
  closingFrame,
  flatAnswerTokens,
  modelNames,
  openingFrame,
  tokenFrames,
} from './answer-frames.ts'
import { createPacer, type Pacer } from '../pacer.ts'

/** A model server that gives out tokens and does nothing else. */
export interface TokenServer {
  /** With `/v1`. */
  readonly url: string
  close(): void
}

/** Starts it on a free port of 127.0.0.1. Model `paced` sends `rate` tokens a second, `flat` as fast as they are read. */
export async function startTokenServer(pace: {
  readonly rate: number
  readonly streams: number
}): Promise<TokenServer> {
  const pacer = createPacer({ rate: pace.rate, phases: pace.streams })
  const server = createServer((request, response) => {
    answer(request, response, pacer).catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => void server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/v1`,
    close: () => {
      pacer.stop()
      server.close()
      server.closeAllConnections()
    },
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, pacer: Pacer): Promise<void> {
  if (request.method !== 'POST') return answerLook(request, response)
  const body = JSON.parse(await text(request)) as { readonly model?: BenchModel }
  const { socket } = response
  if (socket === null) return
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  response.flushHeaders()
  // the body goes to the socket as prepared HTTP chunks, so that the server never is what limits a client
  socket.write(openingFrame)
  if (body.model === modelNames.paced) sendAtPace(socket, pacer)
  else await sendFlat(socket, () => response.end())
}

function answerLook(request: IncomingMessage, response: ServerResponse): void {
  const known = request.url === '/v1/models'
  const data = Object.keys(modelNames).map((id) => ({ id, object: 'model', owned_by: 'bench' }))
  response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' })
  response.end(JSON.stringify(known ? { object: 'list', data } : { error: { message: 'Not found.' } }))
}

// every token in a write of its own; a client that does not keep up gets fewer
function sendAtPace(socket: Socket, pacer: Pacer): void {
  let sent = 0
  const remove = pacer.add(() => {
    if (socket.writableNeedDrain) return
    const frame = tokenFrames[sent % tokenFrames.length]
    if (frame !== undefined) socket.write(frame)
    sent += 1
  })
  socket.once('close', remove)
}

const cyclesPerWrite = 8
const block = Buffer.concat(Array.from({ length: cyclesPerWrite }, () => tokenFrames).flat())
const tokensPerBlock = cyclesPerWrite * tokenFrames.length

async function sendFlat(socket: Socket, end: () => void): Promise<void> {
  for (let sent = 0; sent < flatAnswerTokens && !socket.destroyed; sent += tokensPerBlock) {
    if (!socket.write(block)) await drained(socket)
  }
  socket.write(closingFrame(flatAnswerTokens))
  end()
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      socket.off('drain', finish)
      socket.off('close', finish)
      resolve()
    }
    socket.on('drain', finish)
    socket.on('close', finish)
  })
}
