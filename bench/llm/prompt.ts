/** What every client asks: a short prompt, so that the request weighs nothing. */
export function promptFor(model: string) {
  return { model, messages: [{ role: 'user' as const, content: 'Talk for a while.' }], temperature: 0.7 }
}
