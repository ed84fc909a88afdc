import { describe, expect, test } from 'vitest'

import { AppError } from '../../src/errors.ts'
import { createHeldMaterials } from '../../src/workflows/held-materials.ts'
import type { StepResult, WorkflowStore } from '../../src/workflows/store.ts'
import { newWorkflow } from '../contract/fixtures.ts'

function result(stepIndex: number, output: string): StepResult {
  return { stepIndex, output, files: [] }
}

/** A memory over a store that has a text for every attempt, and notes what it is asked for. */
function openMaterials({ failures = 0 } = {}) {
  const asked: string[] = []
  const methods: Partial<WorkflowStore> = {
    async results(id, of) {
      asked.push(`${id}: ${of.map(({ stepIndex, attempt }) => `${stepIndex}@${attempt}`).join()}`)
      if (asked.length <= failures) throw new AppError('unavailable', 'The database is away.')
      return of.map(({ stepIndex, attempt }) => result(stepIndex, `stored ${stepIndex}@${attempt}`))
    },
  }
  const { input } = newWorkflow()
  const parts = { store: methods as WorkflowStore, abandoned: new AbortController().signal }
  return { materials: createHeldMaterials(parts, { id: 'wf', input }), asked, input }
}

describe.concurrent('materials of a held workflow', () => {
  test('are what the client gave', () => {
    const { materials, input, asked } = openMaterials()
    expect(materials.input).toBe(input)
    expect(asked).toEqual([])
  })

  test('are not read again when they were made here', async () => {
    const { materials, asked } = openMaterials()
    materials.remember(1, result(0, 'made here'))
    expect(await materials.results([{ stepIndex: 0, attempt: 1 }])).toEqual([result(0, 'made here')])
    expect(await materials.results([])).toEqual([])
    expect(asked).toEqual([])
  })

  test('are read where they were not made here, and come in the order asked for', async () => {
    const { materials, asked } = openMaterials()
    materials.remember(1, result(1, 'made here'))
    const found = await materials.results([2, 1, 0].map((stepIndex) => ({ stepIndex, attempt: 1 })))
    expect(found.map(({ output }) => output)).toEqual(['stored 2@1', 'made here', 'stored 0@1'])
    expect(asked).toEqual(['wf: 2@1,0@1'])
  })

  test('are those of the attempt asked for, not of another one', async () => {
    const { materials } = openMaterials()
    materials.remember(1, result(0, 'of the first'))
    materials.remember(3, result(0, 'of the third'))
    const texts = await Promise.all(
      [1, 2, 3].map(async (attempt) => (await materials.results([{ stepIndex: 0, attempt }]))[0]?.output),
    )
    expect(texts).toEqual(['of the first', 'stored 0@2', 'of the third'])
  })

  test('are those that were remembered last, and remembering them again takes no more room', async () => {
    const { materials, asked } = openMaterials()
    for (let n = 0; n < 5; n += 1) materials.remember(1, result(0, `${n}`.padEnd(200_000, '.')))
    const [found] = await materials.results([{ stepIndex: 0, attempt: 1 }])
    expect(found?.output.startsWith('4')).toBe(true)
    expect(asked).toEqual([])
  })

  test('are forgotten rather than kept without bounds', async () => {
    const { materials, asked } = openMaterials()
    for (let index = 0; index < 4; index += 1) materials.remember(1, result(index, 'x'.repeat(200_000)))
    await materials.results([0, 1, 2, 3].map((stepIndex) => ({ stepIndex, attempt: 1 })))
    expect(asked).toEqual(['wf: 2@1,3@1'])
  })

  test('are waited for while the database is away', async () => {
    const { materials, asked } = openMaterials({ failures: 1 })
    expect(await materials.results([{ stepIndex: 0, attempt: 1 }])).toEqual([result(0, 'stored 0@1')])
    expect(asked).toHaveLength(2)
  })
})
