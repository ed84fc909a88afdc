import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { closingFrame, frameOf, openingFrame, tokenEvent } from '../llm/answer-frames.ts'
import { createPacer, type Pacer } from '../pacer.ts'
import type { AnswerKind } from './contender.ts'
import { arrivalMark, stampNow, stampText, tokenMark } from './marks.ts'

/** How the model server answers. */
export interface ModelPace {
  /** Tokens a second of each paced stream, which goes on until its reader leaves. */
  readonly rate: number
  readonly streams: number
  /** Tokens of an answer without a pace. */
  readonly flatTokens: number
}

/** A model server that gives out marked tokens and does nothing else. */
export interface StampedModel {
  /** With `/v1`. */
  readonly url: string
  close(): void
}

const kinds: readonly AnswerKind[] = ['paced', 'flat', 'probe', 'silent']

/** Starts it on a free port of 127.0.0.1. What a model is called decides how it answers. */
export async function startStampedModel(pace: ModelPace): Promise<StampedModel> {
  const pacer = createPacer({ rate: pace.rate, phases: pace.streams })
  const server = createServer((request, response) => {
    const arrival = stampNow()
    answer(request, response, { pace, pacer, arrival }).catch(() => response.destroy())
  })
  server.listen({ port: 0, host: '127.0.0.1', backlog: 2_048 })
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

interface AnswerParts {
  readonly pace: ModelPace
  readonly pacer: Pacer
  readonly arrival: number
}

async function answer(request: IncomingMessage, response: ServerResponse, parts: AnswerParts): Promise<void> {
  if (request.method !== 'POST') return answerLook(request, response)
  const body = JSON.parse(await text(request)) as { readonly model?: AnswerKind }
  const { socket } = response
  if (socket === null) return
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  response.flushHeaders()
  // the body goes to the socket as prepared HTTP chunks, so that the server never is what limits others
  socket.write(openingFrame)
  if (body.model === 'silent') return undefined
  if (body.model === 'paced') return sendAtPace(socket, parts.pacer)
  if (body.model === 'flat') await sendFlat(socket, parts.pace.flatTokens)
  else sendProbe(socket, parts.arrival)
  response.end()
}

function answerLook(request: IncomingMessage, response: ServerResponse): void {
  const known = request.url === '/v1/models'
  const data = kinds.map((id) => ({ id, object: 'model', owned_by: 'bench' }))
  response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' })
  response.end(JSON.stringify(known ? { object: 'list', data } : { error: { message: 'Not found.' } }))
}

function stampedFrame(before: string): Buffer {
  return frameOf(tokenEvent(`${before} ${tokenMark}${stampText(stampNow())}`))
}

// every token in a write of its own; who does not keep up gets fewer
function sendAtPace(socket: Socket, pacer: Pacer): void {
  const remove = pacer.add(() => {
    if (!socket.writableNeedDrain) socket.write(stampedFrame(''))
  })
  socket.once('close', remove)
}

function sendProbe(socket: Socket, arrival: number): void {
  socket.write(stampedFrame(` ${arrivalMark}${stampText(arrival)}`))
  socket.write(closingFrame(1))
}

const tokensPerBlock = 50
const block = Buffer.concat(Array.from({ length: tokensPerBlock }, () => frameOf(tokenEvent(` ${tokenMark}on`))))

async function sendFlat(socket: Socket, tokens: number): Promise<void> {
  for (let sent = 0; sent < tokens && !socket.destroyed; sent += tokensPerBlock) {
    if (!socket.write(block)) await drained(socket)
  }
  socket.write(closingFrame(tokens))
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

/** A number of tokens that such an answer can have: whole blocks. */
export function wholeBlocks(tokens: number): number {
  return Math.ceil(tokens / tokensPerBlock) * tokensPerBlock
}
