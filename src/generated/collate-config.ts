// Generated from schemas/stages/collate.schema.json.

/**
 * Turns token ids into training examples: what to read, what to predict, and how they are batched.
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
   * What happens to a longer record: it is cut (`truncate`), left out (`drop`), or stops the run (`error`).
   */
  readonly too_long: 'truncate' | 'drop' | 'error';
  /**
   * Which tokens the model learns to predict: `all`, the response with its header (`response_with_header`), or the `response` alone. The end of the text is always learned. Of [preferences](../preference.md) the response is compared, with its header for `response_with_header`; `all` is what `orpo` learns besides.
   */
  readonly train_on: 'all' | 'response_with_header' | 'response';
  /**
   * `examples` puts several examples into one row of at most `max_length` tokens, and `batch_size` counts rows; attention stays within each example, and positions start at 0 in each. `true` is for plain text: it joins the records with an end of text after each, and cuts the whole into examples of `max_length` tokens, so that the model reads a record after the one before it; it needs `train_on: all`.
   */
  readonly packing: false | true | 'examples';
  /**
   * Whether training uses a different order of examples in each epoch.
   */
  readonly shuffle: boolean;
  /**
   * Whether training leaves out an epoch's last batch if it is smaller than the others.
   */
  readonly drop_last: boolean;
  /**
   * The seed of the order in each epoch.
   */
  readonly seed: number;
  /**
   * Conditions for the examples in each part; the run stops if one does not hold.
   */
  readonly expect: {
    /**
     * Each example must have a token to learn, so none may be cut down to its prompt.
     */
    readonly trained_token_in_every_example: boolean;
    /**
     * The least number of examples.
     */
    readonly minimum_examples: number;
    /**
     * No part of an answer to learn may be cut off by `max_length`.
     */
    readonly every_answer_whole: boolean;
  };
}
