// Generated from schemas/stages/evaluate.schema.json.

/**
 * Rates responses with metrics. It never touches a model: rating again costs nothing.
 */
export interface EvaluateConfig {
  /**
   * What to measure. `exact_match`: the share of answers that equal the expected one. `token_f1`: SQuAD's overlap of words with the expected answer. `judge_score`: the mean of a judge's answers, integers from 0 to 100. `finished`: the share of answers that the model ended itself. `loss` and `perplexity`: of the expected response, token by token; they need `mode: score` in generate.
   *
   * @minItems 1
   */
  readonly metrics: ('exact_match' | 'token_f1' | 'judge_score' | 'finished' | 'loss' | 'perplexity')[];
  /**
   * What `exact_match` overlooks. White space around an answer never counts.
   */
  readonly exact_match: {
    /**
     * Takes capitals and small letters for the same.
     */
    readonly ignore_case: boolean;
    /**
     * `squad` compares as SQuAD's scorer does: in small letters, without punctuation and without a, an, the.
     */
    readonly normalize: 'none' | 'squad';
  };
  /**
   * With the `references` port: the field of its records that holds the expected answer, or a list of answers of which the best match counts. Without the port what format wrote as the response is expected.
   */
  readonly reference_field: string;
  /**
   * For `judge_score`: the field of the row that holds the answer that was judged. An empty one scores 0, whatever the judge said.
   */
  readonly judged_field: string;
}
