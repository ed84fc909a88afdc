import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folders = {
  openai: '../../node_modules/openai',
  undici: '../../node_modules/undici',
  ai: '../peers/node_modules/ai',
}

/** What is measured and with what, for the head of a report: packages that are there, each with its version. */
export function installedVersions(): readonly string[] {
  const found = Object.entries(folders).flatMap(([name, folder]) => {
    const path = fileURLToPath(new URL(`${folder}/package.json`, import.meta.url))
    if (!existsSync(path)) return []
    const { version } = JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }
    return [`${name} ${version}`]
  })
  return [`Node ${process.versions.node}`, ...found, `Node's own undici ${process.versions['undici']}`]
}
