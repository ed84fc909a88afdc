import { Type, type Static } from '@sinclair/typebox'
import { agentSettings, type BuiltInRole } from './agent-settings.ts'
import { modelCallSettings } from './model-call-settings.ts'
import { modelServerSettings, type ModelServerSettings } from './model-server-settings.ts'
import { observabilitySettings } from './observability-settings.ts'
import { orchestrationSettings } from './orchestration-settings.ts'
import { serverSettings } from './server-settings.ts'
import type { SettingSchema } from './setting.ts'
import { webhookSettings, type WebhookSettings } from './webhook-settings.ts'

/** The settings in the groups and the order that the documents list them in. */
export const SETTING_GROUPS: readonly {
  readonly title: string
  readonly settings: Readonly<Record<string, SettingSchema>>
}[] = [
  { title: 'Model calls', settings: { ...modelCallSettings, ...modelServerSettings } },
  { title: 'Orchestration and storage', settings: { ...orchestrationSettings, ...webhookSettings } },
  { title: 'Agents', settings: agentSettings },
  { title: 'Logs, metrics, errors', settings: observabilitySettings },
  { title: 'Server', settings: serverSettings },
]

/** Every setting as `config.yaml` has it, with bounds, default and description. */
export const SettingsFile = Type.Object(
  {
    ...modelCallSettings,
    ...modelServerSettings,
    ...orchestrationSettings,
    ...webhookSettings,
    ...agentSettings,
    ...observabilitySettings,
    ...serverSettings,
  },
  { additionalProperties: false },
)
export type SettingsFile = Static<typeof SettingsFile>

/** One role. What is left out, the prompts, the service's own settings or the request decide. */
export interface AgentSettings {
  readonly enabled: boolean
  readonly model?: string
  readonly temperature?: number
  readonly maxTokens?: number
  readonly title?: string
  readonly promptFile?: string
  readonly config: Readonly<Record<string, unknown>>
  readonly taskTypes: Readonly<Record<string, string>>
}

type CamelCase<S extends string> = S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<CamelCase<Tail>>}` : S

type Unchanging<T> = T extends readonly (infer Item)[] ? readonly Item[] : T

/**
 * The settings as the service reads them: frozen, in the units of the file (seconds stay seconds, an empty text is the
 * absence of a value). The built-in roles are always there, with every default filled in.
 */
export type Settings = {
  readonly [Key in Exclude<keyof SettingsFile, 'agents' | 'llm' | 'webhooks'> as CamelCase<Key>]: Unchanging<
    SettingsFile[Key]
  >
} & {
  readonly llm: ModelServerSettings
  readonly webhooks: WebhookSettings
  readonly agents: Readonly<Record<BuiltInRole, AgentSettings>> & Readonly<Record<string, AgentSettings>>
}
