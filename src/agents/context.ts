import { AppError } from '../errors.ts'
import { cutMarkUnits, cutMiddle, tokenUnits, UNITS_PER_TOKEN } from './tokens.ts'

/** A part of the user prompt that may be cut, or left out, when the model's window is too small. */
export interface Material {
  /** Names it where it is left out. */
  readonly label: string
  readonly open: string
  readonly content: string
  readonly close: string
  /** Which material goes first: 0 is served before 1, and so on; within one, the largest are cut. */
  readonly tier: number
}

/** Where it is said what was left out: between tags, because names of files are data too. */
interface OmissionNote {
  readonly kind: 'omissions'
  readonly open: string
  readonly close: string
}

/** Text that always stays, material, or the place of the note. */
export type PromptPart = string | Material | OmissionNote

export interface PromptLimits {
  /** Tokens of prompt and answer together; null for no limit. */
  readonly window: number | null
  /** Tokens of the answer that are wanted. */
  readonly maxTokens: number
  /** Most tokens of the prompt, whatever the window; null for no such limit. */
  readonly promptLimit: number | null
  /** Tokens that the server counts for each one of our estimate. */
  readonly tokenRatio: number
  /** false: what does not fit is an error. */
  readonly truncation: boolean
}

export interface FittedPrompt {
  readonly system: string
  readonly user: string
  /** Estimate of the whole prompt. */
  readonly inputTokens: number
  readonly truncated: boolean
}

/** What a chat template adds around the messages, in tokens. */
const TEMPLATE_TOKENS = 32

const SYSTEM_SHARE = 0.3
// below this a system prompt says nothing any more
const LEAST_SYSTEM_SHARE = 0.1
// a piece of a file that is shorter than this helps nobody
const LEAST_PIECE_UNITS = 48 * UNITS_PER_TOKEN
const LONGEST_NOTE = 1000
// of the room for material, where some of it is left out
const NOTE_SHARE = 0.05

/** The tokens an answer may have: what is wanted, but never more than half of the window. */
export function answerShare(limits: Pick<PromptLimits, 'window' | 'maxTokens'>): number {
  return limits.window === null
    ? limits.maxTokens
    : Math.max(1, Math.min(limits.maxTokens, Math.floor(limits.window / 2)))
}

/**
 * Makes the prompt fit beside the answer. Of what the answer leaves, the system prompt has at most 30 % and the user
 * prompt the rest; what one does not use goes to the other. What was left out is said where a part asks for it. Throws `context_overflow` when the parts that always stay do not fit, or
 * when nothing may be cut.
 */
export function fitPrompt(system: string, user: readonly PromptPart[], limits: PromptLimits): FittedPrompt {
  const needs = { system: tokenUnits(system), user: sumUnits(user), fixed: sumUnits(user.filter(isFixed)) }
  const tokensOf = (units: number): number => Math.ceil((units / UNITS_PER_TOKEN) * limits.tokenRatio) + TEMPLATE_TOKENS
  const whole: FittedPrompt = {
    system,
    user: user.map(partText).join(''),
    inputTokens: tokensOf(needs.system + needs.user),
    truncated: false,
  }
  const room = (Math.max(0, longestPrompt(limits) - TEMPLATE_TOKENS) / limits.tokenRatio) * UNITS_PER_TOKEN
  if (needs.system + needs.user <= room) return whole
  if (!limits.truncation) throw overflow(whole.inputTokens, limits, 'and may not be cut')
  const systemRoom = roomOfSystem(needs, room)
  if (needs.fixed + systemRoom > room) {
    throw overflow(tokensOf(needs.fixed + systemRoom), limits, 'even without context, files and earlier results')
  }
  const cutSystem = cutMiddle(system, systemRoom).text
  const cutUser = cutParts(user, room - systemRoom)
  return { system: cutSystem, user: cutUser, inputTokens: tokensOf(tokenUnits(cutSystem + cutUser)), truncated: true }
}

function longestPrompt(limits: PromptLimits): number {
  const { window, promptLimit } = limits
  const besideAnswer = window === null ? Number.POSITIVE_INFINITY : window - answerShare(limits)
  return Math.min(besideAnswer, promptLimit ?? Number.POSITIVE_INFINITY)
}

function roomOfSystem(needs: { system: number; user: number; fixed: number }, room: number): number {
  const share = Math.max(room * SYSTEM_SHARE, room - needs.user)
  const least = Math.min(needs.system, Math.max(room * LEAST_SYSTEM_SHARE, cutMarkUnits + LEAST_PIECE_UNITS))
  return Math.floor(Math.max(least, Math.min(needs.system, share, room - needs.fixed)))
}

function overflow(needed: number, limits: PromptLimits, why: string): AppError {
  const { window } = limits
  const answer = answerShare(limits)
  const room =
    window === null
      ? `the model server refused a longer prompt than ${longestPrompt(limits)}`
      : `the model's window of ${window} tokens leaves ${longestPrompt(limits)} beside the ${answer} of the answer`
  return new AppError('context_overflow', `The prompt needs about ${needed} tokens ${why}; ${room}.`, {
    retryable: false,
  })
}

function cutParts(parts: readonly PromptPart[], room: number): string {
  const materials = parts.filter(isMaterial)
  const free = room - sumUnits(parts.filter(isFixed))
  const all = cutTiers(materials, free)
  const texts = all.size === materials.length ? all : cutTiers(materials, free * (1 - NOTE_SHARE))
  const left = free - [...texts.values()].reduce((sum, text) => sum + tokenUnits(text), 0)
  const omitted = materials.filter((material) => !texts.has(material))
  const shownOf = (part: Exclude<PromptPart, string>): string =>
    isMaterial(part) ? (texts.get(part) ?? '') : noteOfOmitted(omitted, part, left)
  return parts.map((part) => (isFixed(part) ? part : shownOf(part))).join('')
}

/** What of the materials there is room for, one tier after the other. */
function cutTiers(materials: readonly Material[], room: number): ReadonlyMap<Material, string> {
  const texts = new Map<Material, string>()
  let left = room
  for (const tier of [...new Set(materials.map((material) => material.tier))].toSorted((a, b) => a - b)) {
    const inTier = materials.filter((material) => material.tier === tier)
    for (const [material, text] of cutTier(inTier, left)) texts.set(material, text)
    for (const material of inTier) left -= tokenUnits(texts.get(material) ?? '')
  }
  return texts
}

/** The small ones whole, the large ones cut to one height; when that would be too little for each, the last go. */
function cutTier(materials: readonly Material[], room: number): ReadonlyMap<Material, string> {
  let kept = materials.map((material) => ({ material, units: tokenUnits(partText(material)) }))
  for (;;) {
    const level = waterLevel(
      kept.map(({ units }) => units),
      room,
    )
    const cut = kept.filter(({ units }) => units > level)
    const tooSmall = cut.some(({ material }) => level < leastUnits(material))
    if (!tooSmall) return new Map(kept.map(({ material }) => [material, cutMaterial(material, level)]))
    const dropped = new Set(cut.slice(-Math.ceil(cut.length / 4)))
    kept = kept.filter((entry) => !dropped.has(entry))
  }
}

/** The greatest height to which all can be cut so that they fit together. */
function waterLevel(sizes: readonly number[], room: number): number {
  let left = Math.max(0, room)
  const ascending = sizes.toSorted((a, b) => a - b)
  for (const [index, size] of ascending.entries()) {
    const share = Math.floor(left / (ascending.length - index))
    if (size > share) return share
    left -= size
  }
  return Number.POSITIVE_INFINITY
}

function leastUnits(material: Material): number {
  return tokenUnits(material.open + material.close) + cutMarkUnits + LEAST_PIECE_UNITS
}

function cutMaterial(material: Material, units: number): string {
  const content = cutMiddle(material.content, units - tokenUnits(material.open + material.close)).text
  return material.open + content + material.close
}

function noteOfOmitted(omitted: readonly Material[], { open, close }: OmissionNote, room: number): string {
  if (omitted.length === 0) return ''
  const title = `Left out, because the model's context is too small: ${omitted.length} of the parts.\n\n`
  if (tokenUnits(title) > room) return ''
  let list = ''
  for (const { label } of omitted) {
    const longer = `${list}${list === '' ? '' : '\n'}- ${label}`
    if (longer.length > LONGEST_NOTE || tokenUnits(title + open + longer + close) > room) break
    list = longer
  }
  return list === '' ? title : title + open + list + close
}

function isFixed(part: PromptPart): part is string {
  return typeof part === 'string'
}

function isMaterial(part: PromptPart): part is Material {
  return typeof part !== 'string' && 'content' in part
}

function partText(part: PromptPart): string {
  if (isFixed(part)) return part
  return isMaterial(part) ? part.open + part.content + part.close : ''
}

function sumUnits(parts: readonly PromptPart[]): number {
  return parts.reduce((sum, part) => sum + tokenUnits(partText(part)), 0)
}
