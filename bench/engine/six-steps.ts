/** The DAG of `feature_development`, for contenders that are told it in their own words. */
export const sixSteps = {
  first: 'requirements_analysis',
  second: 'architecture_design',
  third: 'implementation',
  /** Side by side, both after the third. */
  left: 'qa_testing',
  right: 'infrastructure',
  /** After both. */
  last: 'documentation',
} as const

/** Fails unless each of the texts is `output`, and there are as many as steps. */
export function checkOutputs(texts: readonly unknown[], output: string): void {
  const steps = Object.keys(sixSteps).length
  if (texts.length === steps && texts.every((text) => text === output)) return
  throw new Error(`A run gave ${texts.filter((text) => text === output).length} of ${steps} texts.`)
}
