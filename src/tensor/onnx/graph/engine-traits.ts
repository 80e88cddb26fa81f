/** What a recorded graph must heed of the engine that computes it. */
export interface EngineTraits {
  /** Operators that the engine cannot be given, or computes on another device than the rest, with a copy before and after. */
  readonly lacks?: ReadonlySet<string>;
  /** The most products in half precision that are added up before the sum itself loses digits; unlimited by default. */
  readonly longestHalfSum?: number;
}
