import type { TaskType } from './agent.ts'
import { type BuiltInRole, builtInRoles } from './built-in-roles.ts'
import {
  leadOfPrompt,
  parseTaskType,
  readBuiltInPrompt,
  readPromptFile,
  titleFromName,
  titleOfPrompt,
} from './prompt-file.ts'
import { type PromptValues, renderPrompt } from './prompt-template.ts'
import { createSystemPrompt } from './system-prompt.ts'

/** What the configuration says of one role, under `agents.<role>`. Keys of `config` win over the role's defaults. */
export interface RoleSettings {
  readonly enabled?: boolean | undefined
  readonly title?: string | undefined
  /** Path of a Markdown prompt, from the working directory. A role that is not built in needs one. */
  readonly promptFile?: string | undefined
  readonly config?: PromptValues | undefined
  /** Further task types, or other instructions for a built-in one: Markdown, as `parseTaskType` reads it. */
  readonly taskTypes?: Readonly<Record<string, string>> | undefined
}

/** An agent as data. */
export interface Role {
  readonly id: string
  readonly title: string
  readonly description: string
  readonly enabled: boolean
  readonly config: PromptValues
  readonly taskTypes: readonly TaskType[]
  /**
   * The system prompt for answers of at most `maxTokens` tokens. It ends with the working rules and the output format
   * that all roles share, so whoever has to shorten it should cut the middle.
   */
  systemPrompt(maxTokens: number): string
}

/** One mistake in the settings of roles: `setting` is its YAML path. */
interface RoleSettingsFault {
  readonly setting: string
  readonly detail: string
}

/** Every mistake that `createRoles` found. */
export class RoleSettingsError extends Error {
  readonly faults: readonly RoleSettingsFault[]

  constructor(faults: readonly RoleSettingsFault[]) {
    super(faults.map(({ setting, detail }) => `${setting}: ${detail}`).join('\n'))
    this.name = 'RoleSettingsError'
    this.faults = faults
  }
}

/**
 * The built-in roles with the operator's changes, then the operator's own. Prompts are read from disk now, and not
 * again later. Throws `RoleSettingsError` with all mistakes at once.
 */
export function createRoles(settings: Readonly<Record<string, RoleSettings>> = {}): readonly Role[] {
  const faults: RoleSettingsFault[] = []
  const roles = [...new Set([...Object.keys(builtInRoles), ...Object.keys(settings)])].map((id) => {
    const plan: RolePlan = {
      id,
      settings: settings[id] ?? {},
      builtIn: Object.hasOwn(builtInRoles, id) ? builtInRoles[id] : undefined,
      fault: (setting, detail) => faults.push({ setting: `agents.${id}${setting}`, detail }),
    }
    return createRole(plan)
  })
  if (faults.length > 0) throw new RoleSettingsError(faults)
  return roles
}

interface RolePlan {
  readonly id: string
  readonly settings: RoleSettings
  readonly builtIn: BuiltInRole | undefined
  /** `setting` is the rest of the path after `agents.<role>`. */
  readonly fault: (setting: string, detail: string) => void
}

const namePattern = /^[a-z][a-z0-9_]{0,63}$/
const nameRule = 'a name is made of small letters, digits and underscores, begins with a letter, and has at most 64'

function createRole(plan: RolePlan): Role {
  const { id, settings, builtIn } = plan
  if (!namePattern.test(id)) plan.fault('', nameRule)
  const prompt = promptOf(plan)
  const config = { ...builtIn?.config, ...settings.config }
  return {
    id,
    title: settings.title || (builtIn?.title ?? titleOfPrompt(prompt) ?? titleFromName(id)),
    description: builtIn?.description ?? renderPrompt(leadOfPrompt(prompt), config),
    enabled: settings.enabled ?? true,
    config,
    taskTypes: taskTypesOf(plan, config),
    systemPrompt: createSystemPrompt(prompt, config),
  }
}

function promptOf({ id, settings, builtIn, fault }: RolePlan): string {
  if (!settings.promptFile) {
    if (builtIn !== undefined) return readBuiltInPrompt(id)
    fault('.prompt_file', 'a role that is not built in needs a prompt file')
    return ''
  }
  try {
    const prompt = readPromptFile(settings.promptFile)
    if (prompt.trim() === '') fault('.prompt_file', `${settings.promptFile} is empty`)
    return prompt
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    fault('.prompt_file', `${settings.promptFile} cannot be read (${reason})`)
    return ''
  }
}

function taskTypesOf({ settings, builtIn, fault }: RolePlan, config: PromptValues): readonly TaskType[] {
  const sources = new Map(builtIn?.taskTypes.map((name) => [name, readBuiltInPrompt(`tasks/${name}`)]))
  for (const [name, markdown] of Object.entries(settings.taskTypes ?? {})) {
    if (!namePattern.test(name)) fault(`.task_types.${name}`, nameRule)
    if (markdown.trim() === '') fault(`.task_types.${name}`, 'instructions are missing')
    sources.set(name, markdown)
  }
  return Array.from(sources, ([name, markdown]) => parseTaskType(name, renderPrompt(markdown, config)))
}
