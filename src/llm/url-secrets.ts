/** What stands before the host of a URL and may not be seen: its password, also as Basic authorization sends the pair. */
export function urlSecrets(url: string): readonly string[] {
  if (!URL.canParse(url)) return []
  const { username, password } = new URL(url)
  if (password === '') return []
  const decodedPassword = decoded(password)
  const pair = Buffer.from(`${decoded(username)}:${decodedPassword}`).toString('base64')
  return [password, decodedPassword, pair]
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
