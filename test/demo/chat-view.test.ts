import { stripVTControlCharacters } from 'node:util'

import { describe, expect, it } from 'vitest'

import { createChatView } from '../../demo/chat-view.ts'
import { createPalette } from '../../demo/palette.ts'
import type { StreamEvent } from '../../demo/stream-event.ts'

const PLAN = [
  { id: 'design', role: 'developer', depends_on: [] },
  { id: 'testing', role: 'qa_engineer', depends_on: ['design'] },
  { id: 'infra', role: 'devops_engineer', depends_on: ['design'] },
]

function createScreen({ colour = false, width = 60 } = {}) {
  let written = ''
  const view = createChatView({ write: (text) => (written += text), width, palette: createPalette(colour) })
  return {
    view,
    text: () => written,
    lines: () => written.split('\n'),
    show(type: string, data: Partial<StreamEvent> = {}) {
      view.show({ type, workflow_id: 'wf_1', ...data })
    },
    start(step: string, attempt = 1) {
      const role = PLAN.find((planned) => planned.id === step)?.role ?? 'developer'
      this.show('step.started', { step, role, attempt })
    },
    say(step: string, text: string, data: Partial<StreamEvent> = {}) {
      this.show('step.delta', { step, attempt: 1, text, ...data })
    },
  }
}

function createPlannedScreen(options = {}) {
  const screen = createScreen(options)
  screen.show('workflow.queued', { steps: PLAN })
  return screen
}

const ESCAPE = '\u001B'

function showAll(colour: boolean): string {
  const screen = createPlannedScreen({ colour })
  screen.start('design')
  screen.say('design', '# Title\n')
  screen.show('step.completed', { step: 'design', attempt: 1 })
  return screen.text()
}

describe('the chat view', () => {
  it('shows the plan, parallel steps side by side', () => {
    expect(createPlannedScreen().text()).toContain('Plan  design → testing ‖ infra')
  })

  it('announces who takes over and what they build on', () => {
    const screen = createPlannedScreen()
    screen.start('testing')
    expect(screen.text()).toContain('▶ qa_engineer takes over: testing, builds on design\n')
  })

  it('shows one agent word by word as the words come', () => {
    const screen = createPlannedScreen()
    screen.start('design')
    screen.say('design', 'Hello wor')
    expect(screen.lines().at(-1)).toBe('developer       │ Hello')
    screen.say('design', 'ld and ')
    expect(screen.lines().at(-1)).toBe('developer       │ Hello world and')
  })

  it('wraps at words, keeps indentation and cuts what is longer than a row', () => {
    const screen = createPlannedScreen({ width: 18 + 24 })
    screen.start('design')
    screen.say('design', `  - one two three four five six\n${'x'.repeat(30)}\n`)
    expect(screen.lines().slice(3, -1)).toEqual([
      'developer       │   - one two three four',
      'developer       │   five six',
      `developer       │ ${'x'.repeat(24)}`,
      `developer       │ ${'x'.repeat(6)}`,
    ])
  })

  it('shows two agents who talk at the same time row by row, each under its name', () => {
    const screen = createPlannedScreen()
    screen.start('testing')
    screen.start('infra')
    const before = screen.lines().length - 1
    screen.say('testing', 'test one\ntest ')
    screen.say('infra', 'infra one\ninfra two\ninf')
    screen.say('testing', 'two\n')
    screen.say('infra', 'ra three')
    screen.show('step.completed', { step: 'testing', attempt: 1, duration_ms: 1_200 })
    screen.show('step.completed', { step: 'infra', attempt: 1, duration_ms: 1_300 })
    const shown = screen.lines().slice(before, -1)
    expect(shown).toEqual([
      'qa_engineer     │ test one',
      'devops_engineer │ infra one',
      'devops_engineer │ infra two',
      'qa_engineer     │ test two',
      expect.stringContaining('1 of 3 steps · testing done in 1.2 s'),
      'devops_engineer │ infra three',
      expect.stringContaining('2 of 3 steps · infra done in 1.3 s'),
    ])
  })

  it('takes the floor back in the middle of a row without losing or repeating a word', () => {
    const screen = createPlannedScreen()
    screen.start('testing')
    screen.say('testing', 'one two ')
    screen.start('infra')
    screen.say('testing', 'three\n')
    const spoken = screen.lines().filter((line) => line.startsWith('qa_engineer'))
    expect(spoken.map((line) => line.slice('devops_engineer │ '.length)).join('')).toBe('one two three')
  })

  it('marks a void attempt, drops what was not shown of it, and goes on with the next', () => {
    const screen = createPlannedScreen({ colour: true })
    screen.start('design')
    screen.say('design', 'half an answ')
    screen.show('step.retrying', {
      step: 'design',
      attempt: 1,
      delay_ms: 1_500,
      error: { code: 'llm_truncated', message: 'The stream broke.' },
    })
    screen.say('design', 'late text of the void attempt\n')
    screen.start('design', 2)
    screen.say('design', 'whole answer\n', { attempt: 2 })
    const text = screen.text()
    expect(text).toContain('\u001B[9m')
    expect(text).toContain('llm_truncated: The stream broke.')
    expect(text).toContain('the next try comes in 1.5 s')
    expect(text).toContain('tries again: design, attempt 2')
    expect(text).toContain('whole answer')
    expect(text).not.toContain('answ\n')
    expect(text).not.toContain('late text')
  })

  it('shows text once when deltas overlap', () => {
    const screen = createPlannedScreen()
    screen.start('design')
    screen.say('design', 'one two ', { offset: 0 })
    screen.say('design', 'two three ', { offset: 4 })
    screen.say('design', 'one ', { offset: 0 })
    screen.say('design', '\n', { offset: 14 })
    expect(screen.text()).toContain('│ one two three\n')
  })

  it('tells continuations, files, failures and skipped steps', () => {
    const screen = createPlannedScreen()
    screen.start('design')
    screen.show('step.continued', { step: 'design', attempt: 1, n: 2 })
    screen.show('artifact.created', { step: 'design', attempt: 1, path: 'src/a.ts', bytes: 12_345 })
    screen.show('step.failed', { step: 'design', attempt: 1, error: { code: 'llm_error', message: 'Down.' } })
    screen.show('step.skipped', { step: 'infra', attempt: 0, reason: 'dependency_failed', dependency: 'design' })
    const text = screen.text()
    expect(text).toContain('the model goes on (2)')
    expect(text).toContain('+ src/a.ts 12 345 bytes')
    expect(text).toContain('✗ design failed: llm_error: Down.')
    expect(text).toContain('infra is skipped: it needs design')
  })

  it('lets no control sequence of an answer reach the terminal', () => {
    const screen = createPlannedScreen()
    screen.start('design')
    screen.say('design', 'a\u001B[2Jb\u0007\r\n')
    expect(screen.text()).toContain('│ a[2Jb\n')
  })

  it('has no colour unless it is asked for', () => {
    expect(showAll(false)).not.toContain(ESCAPE)
    expect(stripVTControlCharacters(showAll(true))).toBe(showAll(false))
    expect(showAll(true)).toContain(`${ESCAPE}[1m# Title`)
  })
})
