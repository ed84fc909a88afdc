// By their shape, with ASCII or full-width bars (ChatML, Llama 3, Phi, Command R, DeepSeek, gpt-oss), then by their names
// (Gemma, Llama 2, Mistral). What is HTML as well, as `</s>`, opens no turn by itself and stays.
const chatMark =
  /<(?=[|｜][^\s<>]{0,64}>|[^\s<>|｜]{1,64}[|｜]>|\/?(?:start_of_turn|end_of_turn|bos|eos)>|<\/?SYS>>)|\[(?=\/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_[A-Z]{1,16})\])/g

/**
 * Puts a blank behind the first character of every mark by which a chat template parts messages, as in `< |im_end|>`:
 * some model servers read such marks also inside a message, and the text could open one of its own. All else stays.
 */
export function spellOutChatMarks(text: string): string {
  return text.replace(chatMark, '$& ')
}
