const typesByExtension: Readonly<Record<string, string>> = {
  astro: 'text/plain',
  bash: 'application/x-sh',
  bat: 'text/plain',
  c: 'text/x-c',
  cc: 'text/x-c++',
  cfg: 'text/plain',
  cjs: 'text/javascript',
  clj: 'text/plain',
  cmake: 'text/plain',
  conf: 'text/plain',
  cpp: 'text/x-c++',
  cs: 'text/x-csharp',
  csproj: 'application/xml',
  css: 'text/css',
  csv: 'text/csv',
  cts: 'text/x-typescript',
  dart: 'text/plain',
  env: 'text/plain',
  ex: 'text/plain',
  exs: 'text/plain',
  feature: 'text/plain',
  fs: 'text/plain',
  go: 'text/x-go',
  gradle: 'text/plain',
  graphql: 'application/graphql',
  h: 'text/x-c',
  hcl: 'text/plain',
  hpp: 'text/x-c++',
  hs: 'text/plain',
  html: 'text/html',
  ini: 'text/plain',
  ipynb: 'application/x-ipynb+json',
  j2: 'text/plain',
  java: 'text/x-java',
  js: 'text/javascript',
  json: 'application/json',
  jsonc: 'application/json',
  jsx: 'text/javascript',
  kt: 'text/x-kotlin',
  kts: 'text/x-kotlin',
  less: 'text/plain',
  lock: 'text/plain',
  lua: 'text/plain',
  md: 'text/markdown',
  mdx: 'text/markdown',
  mermaid: 'text/vnd.mermaid',
  mjs: 'text/javascript',
  mmd: 'text/vnd.mermaid',
  mts: 'text/x-typescript',
  php: 'text/x-php',
  pl: 'text/plain',
  properties: 'text/plain',
  proto: 'text/plain',
  ps1: 'text/plain',
  py: 'text/x-python',
  pyi: 'text/x-python',
  r: 'text/plain',
  rb: 'text/x-ruby',
  rs: 'text/x-rust',
  rst: 'text/x-rst',
  scala: 'text/x-scala',
  scss: 'text/x-scss',
  sh: 'application/x-sh',
  sql: 'application/sql',
  svelte: 'text/plain',
  svg: 'image/svg+xml',
  swift: 'text/x-swift',
  tf: 'text/plain',
  tfvars: 'text/plain',
  toml: 'application/toml',
  tpl: 'text/plain',
  ts: 'text/x-typescript',
  tsx: 'text/x-typescript',
  txt: 'text/plain',
  vue: 'text/plain',
  xml: 'application/xml',
  yaml: 'application/yaml',
  yml: 'application/yaml',
}

// as they are usually written: "License" in prose is no file
const namesWithoutExtension =
  /^(?:(?:Docker|Container|Make|make|Jenkins|Proc|Vagrant|Caddy|Gem|Rake)file|justfile|LICENSE|CODEOWNERS)(?:\.|$)/
const dotFile = /^\.[a-z][a-z0-9_.-]*$/i

/** The RFC 9110 media type of a file, guessed from its path; what is not known is `text/plain`, for all are text. */
export function mediaType(path: string): string {
  return typesByExtension[extension(path)] ?? 'text/plain'
}

/** The name of the last part tells by itself that it is a file: `app.py`, `Dockerfile`, `.gitignore`. */
export function isFileName(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1)
  return Object.hasOwn(typesByExtension, extension(name)) || namesWithoutExtension.test(name) || dotFile.test(name)
}

function extension(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const dot = name.lastIndexOf('.')
  return dot < 1 ? '' : name.slice(dot + 1).toLowerCase()
}
