// Generated from schemas/stages/pair.schema.json.

/**
 * Lays two models' answers to the same prompts side by side, for a judge to choose between.
 */
export interface PairConfig {
  /**
   * `both`: each pair makes two records, and each answer stands first in one of them, because judges tend to favour a position. `first`: one record, with the first model's answer in front. `random`: one record, whose order is drawn from the seed and the id.
   */
  readonly orders: 'both' | 'first' | 'random';
  /**
   * Decides the draws of `orders: random`.
   */
  readonly seed: number;
  /**
   * Where `second` is records, such as a baseline's published outputs, rather than responses: the field with the answer.
   */
  readonly second_field: string;
}
