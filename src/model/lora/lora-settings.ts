/** Low-rank adaptation (Hu et al. 2021, arXiv:2106.09685): y = W x + scale B A x, of which A [r, I] and B [O, r] are trained. */
export interface LoraSettings {
  readonly rank: number;
  readonly alpha: number;
  /** The share of the adapters' inputs that a training drops. */
  readonly dropout: number;
  /** Patterns of projections' names, or all of a model's blocks. */
  readonly targets: 'all-linear' | readonly string[];
  /** Divides alpha by the root of the rank (Kalajdzievski 2023, arXiv:2312.03732) and not by the rank. */
  readonly rankStabilized: boolean;
}

export const loraScale = ({ rank, alpha, rankStabilized }: LoraSettings): number =>
  alpha / (rankStabilized ? Math.sqrt(rank) : rank);
