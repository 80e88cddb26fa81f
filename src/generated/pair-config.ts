// Generated from schemas/stages/pair.schema.json.

/**
 * Pairs two models' answers to the same prompts, for a judge to choose between.
 */
export interface PairConfig {
  /**
   * `both`: each pair makes two records, and each answer comes first in one of them, because judges tend to favor a position. `first`: one record, with the first model's answer in front. `random`: one record, whose order is drawn from the seed and the id.
   */
  readonly orders: 'both' | 'first' | 'random';
  /**
   * The seed of `orders: random`.
   */
  readonly seed: number;
  /**
   * What happens to an answer that the other model has no counterpart for: `error` refuses it; `leave_out` pairs the others, and reports how many it leaves out.
   */
  readonly unmatched: 'error' | 'leave_out';
  /**
   * If `second` is records, such as a baseline's published outputs, rather than responses: the field with the answer.
   */
  readonly second_field: string;
}
