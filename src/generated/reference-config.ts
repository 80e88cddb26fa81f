// Generated from schemas/stages/reference.schema.json.

/**
 * Computes the log-probabilities of preference data by a reference model, once for all trainings that compare with it.
 */
export interface ReferenceConfig {
  /**
   * How many pairs or labeled answers are computed at a time.
   */
  readonly batch_size: number;
}
