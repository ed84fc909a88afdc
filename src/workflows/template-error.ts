/** A template file of the operator that cannot be used, with every reason. */
export class TemplateError extends Error {
  readonly faults: readonly { readonly place: string; readonly detail: string }[]

  constructor(faults: TemplateError['faults']) {
    super(faults.map(({ place, detail }) => `${place}: ${detail}`).join('\n'))
    this.name = 'TemplateError'
    this.faults = faults
  }
}
