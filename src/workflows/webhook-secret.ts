const prefix = 'whsec_'
const shortestBytes = 24
const longestBytes = 64

/** Whether a text is a signing secret as Standard Webhooks has it: `whsec_` and 24 to 64 bytes in base64. */
export function isWebhookSecret(text: string): boolean {
  if (!text.startsWith(prefix)) return false
  const encoded = text.slice(prefix.length)
  const bytes = Buffer.from(encoded, 'base64')
  return bytes.toString('base64') === encoded && bytes.length >= shortestBytes && bytes.length <= longestBytes
}
