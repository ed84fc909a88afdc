const words = ['the service ', 'keeps ', 'every ', 'finished ', 'step, ', 'and ', 'a reader ', 'sees ', 'it ', 'once. ']
const multiplier = 48_271
const modulus = 2_147_483_647

/** ASCII text of so many bytes, the same each time, and about as compressible as prose. */
export function outputText(bytes: number): string {
  let text = ''
  for (let state = 1; text.length < bytes; state = (state * multiplier) % modulus) {
    text += state % 3 === 0 ? `${state.toString(36)} ` : (words[state % words.length] ?? '')
  }
  return text.slice(0, bytes)
}
