import type { ContenderName } from './contender.ts'

/** Whom to ask and whose CPU time counts. */
export interface Site {
  readonly contender: ContenderName
  readonly url: string
  /** With `/v1`. */
  readonly modelUrl: string
  readonly pid: number
  /** Database server of the contender; null: none of its own process. */
  readonly databasePid: number | null
}
