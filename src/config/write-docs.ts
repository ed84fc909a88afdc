import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderConfigYaml, renderDotenv } from './example-files.ts'
import { withSettingsTable } from './settings-table.ts'

/** Writes what the settings say into `config.yaml`, `.env.example` and the table of `README.md` in `directory`. */
export function writeDocs(directory: string): void {
  writeFileSync(join(directory, 'config.yaml'), renderConfigYaml())
  writeFileSync(join(directory, '.env.example'), renderDotenv())
  const readme = join(directory, 'README.md')
  const text = existsSync(readme) ? withSettingsTable(readFileSync(readme, 'utf8')) : undefined
  if (text !== undefined) writeFileSync(readme, text)
}

if (import.meta.main) writeDocs(process.cwd())
