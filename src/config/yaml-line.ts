import { stringify } from 'yaml'

/** `name: value` on one line of YAML, without a newline. Takes texts, numbers, booleans and lists of these. */
export function yamlLine(name: string, value: unknown): string {
  return `${name}: ${yamlValue(value)}`
}

function yamlValue(value: unknown): string {
  // a JSON string is YAML too, and keeps to one line
  if (typeof value === 'string' && /[\r\n]/.test(value)) return JSON.stringify(value)
  return stringify(value, {
    lineWidth: 0,
    collectionStyle: 'flow',
    flowCollectionPadding: false,
    singleQuote: true,
  }).trimEnd()
}
