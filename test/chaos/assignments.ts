import { isStreamed, pickFor } from './fault-plan.ts'

const customSteps = [
  { id: 'ground', role: 'business_analyst', task: 'Lay the ground.' },
  { id: 'left', role: 'developer', task: 'Do the left side.', depends_on: ['ground'] },
  { id: 'right', role: 'qa_engineer', task: 'Do the right side.', depends_on: ['ground'] },
  { id: 'middle', role: 'devops_engineer', task: 'Do the middle.', depends_on: ['ground'] },
  { id: 'roof', role: 'technical_writer', task: 'Put them together.', depends_on: ['left', 'right', 'middle'] },
]

const kinds: readonly object[] = [
  { type: 'feature_development', context: { language: 'python', framework: 'fastapi' } },
  { type: 'bug_fix', context: { bug_description: 'The total is wrong after the second item.' } },
  { type: 'infrastructure', context: { platform: 'kubernetes' } },
  { type: 'documentation' },
  { type: 'analysis' },
  { type: 'custom', steps: customSteps },
]

const phrases = [
  'The service keeps its state in one place. ',
  'Emoji 😀👩‍👩‍👧‍👦🏳️‍🌈 and 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 stay whole.\n',
  '- a list item with `code` and <b>marks</b> &amp; "quotes"\n',
  'data: x\n\nevent: y\nid: 1\n\n',
  'Zeile mit Umlauten: äöüß. ',
  '\n## A heading\n\n',
]

/** Body of the POST that starts the n-th workflow, counted from 0. The templates take turns. */
export function assignmentOf(run: number): object {
  const requirement = `Assignment number ${run}: make it good.`
  return { ...kinds[run % kinds.length], requirement, options: { stream: isStreamed(run) } }
}

/** Which step of which workflow a prompt is for; null for any other text. */
export function readPrompt(userText: string): { readonly run: number; readonly step: string } | null {
  const step = /^Step: (\w+) \(/.exec(userText)?.[1]
  const run = /Assignment number (\d+):/.exec(userText)?.[1]
  return step === undefined || run === undefined ? null : { run: Number(run), step }
}

/** What the model answers, always and exactly: 300 to 2 500 characters, with a file. */
export function scriptedAnswer(seed: number, run: number, step: string): string {
  const pick = pickFor(`answer ${seed} ${run} ${step}`)
  const length = pick(200, 2200)
  let text = `# ${step} of ${run}\n\n`
  while (text.length < length) text += phrases[pick(0, phrases.length - 1)] ?? ''
  return `${text}\n\n\`\`\`python:src/${step}_${run}.py\nprint("${step} 😀")\n\`\`\`\n\nThe end of ${step}.`
}
