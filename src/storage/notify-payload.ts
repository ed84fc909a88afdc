/** NOTIFY refuses payloads of 8 000 bytes and more. */
const maxBytes = 7000
const separator = ','

/** Ids as the payloads of as few messages as possible, none above 7 000 bytes. Ids that no message could carry are left out. */
export function toPayloads(ids: Iterable<string>): readonly string[] {
  const payloads: string[] = []
  let payload = ''
  for (const id of ids) {
    if (id === '' || id.includes(separator) || id.includes('\0') || Buffer.byteLength(id) > maxBytes) continue
    const longer = payload === '' ? id : payload + separator + id
    if (Buffer.byteLength(longer) <= maxBytes) payload = longer
    else {
      payloads.push(payload)
      payload = id
    }
  }
  return payload === '' ? payloads : [...payloads, payload]
}

/** Ids of a payload, each once. Anybody may send one: what is in it need not be an id. */
export function fromPayload(payload: string): readonly string[] {
  return [...new Set(payload.split(separator).filter((id) => id !== ''))]
}
