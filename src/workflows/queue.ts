/** The job of one activation, fetched. */
export interface ActivationJob {
  readonly id: string
  readonly workflowId: string
  readonly activation: number
  /** How often it was fetched before: with the activation, the claim. */
  readonly retry: number
  readonly priority: number
  readonly createdAt: number
}

/** The queue of activations. Sending and completing happen inside the store's transactions. */
export interface ActivationQueue {
  /** Takes up to `limit` jobs, highest priority first, then oldest. */
  fetch(limit: number): Promise<readonly ActivationJob[]>
  /** Heartbeat of all held jobs. */
  touch(jobs: readonly ActivationJob[]): Promise<void>
  /** Completes a job unless somebody newer has it. */
  completeFenced(job: ActivationJob): Promise<void>
  /** True when the heartbeat of an active job has lapsed. */
  hasLapsed(): Promise<boolean>
  /** Requeues lapsed jobs and deletes completed ones. */
  supervise(): Promise<void>
}

/** The database's clock. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
}
