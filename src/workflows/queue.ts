/** The job of one activation, fetched. */
export interface ActivationJob {
  readonly id: string
  readonly workflowId: string
  readonly activation: number
  /** How often it was fetched before: with the activation, the claim. */
  readonly retry: number
  /** The workflow's priority, and within it its turn: higher first. */
  readonly rank: number
  readonly createdAt: number
}

/** The queue of activations. Sending and completing happen inside the store's transactions. */
export interface ActivationQueue {
  /** Takes up to `limit` jobs, highest rank first, then oldest; none of the owners that are passed over. */
  fetch(limit: number, passedOver?: readonly string[]): Promise<readonly ActivationJob[]>
  /**
   * Puts fetched jobs back as if they had not been fetched, unless somebody newer has them. Only for those whose
   * workflow nobody has claimed for their activation; not to be repeated when the outcome is unknown.
   */
  putBack(jobs: readonly ActivationJob[]): Promise<void>
  /** Heartbeat of all held jobs. */
  touch(jobs: readonly ActivationJob[]): Promise<void>
  /** Completes a job unless somebody newer has it. */
  completeFenced(job: ActivationJob): Promise<void>
  /** True when the heartbeat of an active job has lapsed. */
  hasLapsed(): Promise<boolean>
  /** Requeues lapsed jobs and deletes completed ones. */
  supervise(): Promise<void>
}

/** How much of each owner is being run, that is active and claimed, or let in to be claimed, for its activation. */
export interface ShareStore {
  /**
   * Lets a workflow in that is about to be claimed for `activation`, until it is no longer active or gets another
   * activation. false: `share` others of its owner are being run, on whichever replica.
   */
  takeShare(id: string, activation: number, share: number): Promise<boolean>
  /** How many workflows of each owner are being run, on all replicas; without those of nobody. */
  runningOf(): Promise<ReadonlyMap<string, number>>
}

/** The database's clock. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
}

/** A finished workflow that is to be written to the output directory. */
export interface PublishJob {
  readonly id: string
  readonly workflowId: string
  readonly retry: number
}

/** Finished workflows to publish; sent in the transaction that ends them. */
export interface PublishQueue {
  /** null: there is none now. */
  fetch(): Promise<PublishJob | null>
  complete(job: PublishJob): Promise<void>
  /** It is tried again later, with growing waits. */
  fail(job: PublishJob): Promise<void>
}

/** Files of one finished workflow, by safe relative path. */
export interface Publication {
  readonly workflowId: string
  readonly files: AsyncIterable<{ readonly path: string; readonly content: Buffer }>
  /** An earlier try may have died, and left behind what it had written. */
  readonly isRepeated?: boolean
}

/** Where finished workflows are written to. */
export interface OutputDirectory {
  /** All files or none; what was published under the same id before is replaced. */
  publish(publication: Publication): Promise<void>
}
