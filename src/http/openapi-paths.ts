/** The parts of a schema that tell what an answer holds. */
export interface AnswerSchema {
  type?: unknown
  $ref?: string
  items?: { readonly $ref?: string }
  properties?: Readonly<Record<string, AnswerSchema>>
}

export interface Media {
  schema?: AnswerSchema
  examples?: unknown
}

/** An operation of the description while it is being made. */
export interface Operation {
  requestBody?: { required?: boolean; content?: Record<string, Media> }
  responses?: Record<string, { content?: Record<string, Media> }>
}

/** Operations by method, by path. */
export type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>

export const jsonType = 'application/json'
