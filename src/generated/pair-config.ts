// Generated from schemas/stages/pair.schema.json.

/**
 * Lays two models' answers to the same prompts side by side, for a judge to choose between.
 */
export interface PairConfig {
  /**
   * `both`: each pair makes two records, and each answer stands first in one of them, because judges tend to favour a position. `first`: one record, with the first model's answer in front.
   */
  readonly orders: 'both' | 'first';
}
