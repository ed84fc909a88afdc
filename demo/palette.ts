/** Paints text for a terminal; every function returns its text unchanged when colour is off. */
export interface Palette {
  /** The colour that belongs to a role; an operator's own roles get one by their name. */
  role(role: string, text: string): string
  bold(text: string): string
  dim(text: string): string
  strike(text: string): string
  good(text: string): string
  bad(text: string): string
  warn(text: string): string
}

const ROLE_CODES: Readonly<Record<string, number>> = {
  business_analyst: 36,
  developer: 33,
  qa_engineer: 35,
  devops_engineer: 94,
  technical_writer: 32,
}
const OTHER_CODES = [96, 93, 95, 92, 91] as const

function roleCode(role: string): number {
  const known = ROLE_CODES[role]
  if (known !== undefined) return known
  const sum = Array.from(role).reduce((total, character) => total + (character.codePointAt(0) ?? 0), 0)
  return OTHER_CODES[sum % OTHER_CODES.length] ?? OTHER_CODES[0]
}

/** A palette of the sixteen ANSI colours that every terminal theme maps to something readable. */
export function createPalette(colour: boolean): Palette {
  const paint = (open: number, close: number) => (text: string) =>
    colour && text !== '' ? `\u001B[${open}m${text}\u001B[${close}m` : text
  return {
    role: (role, text) => paint(roleCode(role), 39)(text),
    bold: paint(1, 22),
    dim: paint(2, 22),
    strike: paint(9, 29),
    good: paint(32, 39),
    bad: paint(31, 39),
    warn: paint(33, 39),
  }
}
