/** What a store holds, as gc weighs it. */
export type HoldingKind =
  | 'result'
  | 'memo'
  | 'checkpoint'
  | 'attempt'
  | 'source'
  | 'run'
  | 'blob'
  | 'temporary'
  | 'view';

/** Why something stays. */
export type Keeping = 'locked' | 'last-runs' | 'open-run' | 'recent' | 'young';

export interface Holding {
  readonly kind: HoldingKind;
  /** From the store's root; a file or a folder. */
  readonly path: string;
  /** What removing it frees; of a result that shares blobs with others, its own alone. */
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly usedAt: number;
  /** What a person calls it. */
  readonly name: string;
}

export interface KeptHolding extends Holding {
  readonly because: Keeping;
}
