/**
 * Hints between the replicas of one database: "this workflow was changed", "there is something about its open texts".
 * They save waiting and promise nothing: each may be lost, doubled or late, so whoever needs to know looks from time to
 * time as well.
 */
export interface Hints {
  /** Tells the other replicas of a change. Only after it is committed; costs nothing here, and never throws. */
  tell(workflowId: string): void
  /** The same about its open texts: there is a reader of them, or there is more of them. */
  tellText(workflowId: string): void
  /** From now on `hear` gets what other replicas tell, never what this one does; the result ends that. */
  listen(hear: HearHints): () => void
  /** False while hints of others cannot arrive, so that one has to look more often. True where there are no others. */
  listening(): boolean
}

/** Takes ids of workflows that other replicas have changed, and of those with news of their open texts. Must not throw. */
export type HearHints = (changedIds: readonly string[], textIds: readonly string[]) => void
