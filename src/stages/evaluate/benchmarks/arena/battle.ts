/** One vote between two models, each named by its place in the list of models. */
export interface Battle {
  readonly a: number;
  readonly b: number;
  /** 1 where a won, 0 where b did, 0.5 for a tie. */
  readonly outcome: number;
}

export interface Battles {
  /** In the order in which they first fight. */
  readonly models: readonly string[];
  readonly battles: readonly Battle[];
}
