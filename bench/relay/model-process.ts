import { type ModelPace, startStampedModel } from './stamped-model.ts'

/** The process of the model server: told its pace as JSON in the first argument, tells its URL. */
const server = await startStampedModel(JSON.parse(process.argv[2] ?? '') as ModelPace)
// the parent decides what Ctrl-C means; it may also be gone without a word
process.on('SIGINT', () => {})
process.once('disconnect', () => server.close())
process.send?.({ url: server.url })
