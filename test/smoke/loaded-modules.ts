import { appendFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

// Loaded before the service (`--import`), it writes which files are loaded, each on a line of its own, to LOADED_MODULES.

const file = process.env['LOADED_MODULES'] ?? ''

registerHooks({
  load(url, context, nextLoad) {
    appendFileSync(file, `${url}\n`)
    return nextLoad(url, context)
  },
})
