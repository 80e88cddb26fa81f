// Generated from schemas/stages/reference.schema.json.

/**
 * Computes the log-probabilities of preference data by a reference model, once for all trainings that compare with it.
 */
export interface ReferenceConfig {
  /**
   * How many pairs or labeled answers are computed at a time.
   */
  readonly batch_size: number;
  /**
   * The type to which the factors of matrix products are rounded: that of the training which compares with it. See [Training](../training.md#half-precision).
   */
  readonly precision: 'float32' | 'bf16' | 'fp16';
}
