import { startTokenServer } from './token-server.ts'

/** The process of the token server: told its pace as JSON in the first argument, tells its URL. */
const server = await startTokenServer(JSON.parse(process.argv[2] ?? '') as { rate: number; streams: number })
// the parent decides what Ctrl-C means; it may also be gone without a word
process.on('SIGINT', () => {})
process.once('disconnect', () => server.close())
process.send?.({ url: server.url })
