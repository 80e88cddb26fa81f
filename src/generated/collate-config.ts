// Generated from schemas/stages/collate.schema.json.

/**
 * Makes training examples of token ids: what to read, what to predict, and how they are batched.
 */
export interface CollateConfig {
  /**
   * Examples in a batch.
   */
  readonly batch_size: number;
  /**
   * The most tokens that an example may have; at most the model's context length.
   */
  readonly max_length: number;
  /**
   * What becomes of a longer record: it is cut (`truncate`), left out (`drop`), or stops the run (`error`).
   */
  readonly too_long: 'truncate' | 'drop' | 'error';
  /**
   * Which tokens the model learns to predict: `all`, the response with its header (`response_with_header`), or the `response` alone. The end of the text is always learned.
   */
  readonly train_on: 'all' | 'response_with_header' | 'response';
  /**
   * `examples` puts several examples into one row of at most `max_length` tokens, and `batch_size` counts rows; attention stays within each example, positions begin anew. `true` is for plain text: it puts records one after the other, an end of text after each, and cuts the whole into examples of `max_length` tokens, so that a record is read after the one before; it needs `train_on: all`.
   */
  readonly packing: false | true | 'examples';
  /**
   * Whether training takes the examples in another order in each epoch.
   */
  readonly shuffle: boolean;
  /**
   * Whether training leaves out an epoch's last batch where it is smaller than the others.
   */
  readonly drop_last: boolean;
  /**
   * Decides the order in each epoch.
   */
  readonly seed: number;
  /**
   * Facts that must hold of the examples in each part; the run stops where one does not.
   */
  readonly expect: {
    /**
     * Each example has a token to learn: none was cut down to its prompt.
     */
    readonly trained_token_in_every_example: boolean;
    /**
     * There are at least so many examples.
     */
    readonly minimum_examples: number;
  };
}
