import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { fileURLToPath } from 'node:url'

/** What a benchmark ran on and with: Node, the packages of the project and of its peers that are there, processors. */
export function describeMachine(packages: readonly string[]): string {
  const versions = packages.flatMap((name) => {
    const version = versionOf(name)
    return version === null ? [] : [`${name} ${version}`]
  })
  const model = cpus()[0]?.model.trim() ?? 'unknown'
  return `${[`Node ${process.versions.node}`, ...versions].join(', ')}; ${availableParallelism()} × ${model}`
}

function versionOf(name: string): string | null {
  const folders = ['../node_modules', './peers/node_modules']
  const paths = folders.map((folder) => fileURLToPath(new URL(`${folder}/${name}/package.json`, import.meta.url)))
  const path = paths.find((one) => existsSync(one))
  if (path === undefined) return null
  return (JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }).version
}
