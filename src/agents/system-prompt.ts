import { readBuiltInPrompt } from './prompt-file.ts'
import { formatPromptValue, keysOfPrompt, type PromptValues, renderPrompt } from './prompt-template.ts'

/**
 * A role's system prompt as a function of the most tokens of the answer: the role's own prompt with its configuration
 * woven in, then what the configuration says besides, last the working rules and the output format of all roles.
 */
export function createSystemPrompt(prompt: string, config: PromptValues): (maxTokens: number) => string {
  const rules = readBuiltInPrompt('working-rules')
  const settings = projectSettings(prompt, config)
  return (maxTokens) => {
    const size = { max_tokens: maxTokens, max_words: rounded(maxTokens * 0.6), max_lines: rounded(maxTokens / 12) }
    const parts = [renderPrompt(prompt, { ...config, ...size }), settings, renderPrompt(rules, size)]
    return parts
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .join('\n\n')
  }
}

/** What the operator has configured and the prompt does not mention. */
function projectSettings(prompt: string, config: PromptValues): string {
  const known = keysOfPrompt(prompt)
  const lines = Object.entries(config)
    .filter(([key]) => !known.has(key))
    .map(([key, value]) => `- ${key}: ${formatPromptValue(value)}`)
  return lines.length === 0 ? '' : `## Project settings\n\n${lines.join('\n')}`
}

/** Two significant digits: a guide for the model, not a limit. */
function rounded(amount: number): number {
  return Math.max(1, Number(amount.toPrecision(2)))
}
