// Generated from schemas/stages/evaluate.schema.json.

/**
 * Rates responses with metrics. It never touches a model: rating again costs nothing.
 */
export interface EvaluateConfig {
  /**
   * What to measure. `exact_match`: the share of answers that equal the expected one. `token_f1`: SQuAD's overlap of words with the expected answer. `judge_score`: the mean of a judge's marks. `preference`: of a judge's verdicts on pairs, how often the first model wins. `finished`: the share of answers that the model ended itself. `loss` and `perplexity`: of the expected response, token by token; they need `mode: score` in generate. `pass_at_k`: of what `execute` ran, the chance that one of k samples passes. `human_rating`: the mean of people's ratings and how far they agree. `judge_agreement`: how a judge's marks go with people's ratings, or with a second judge's. Of `mode: choices`: `accuracy`, by the likelihood of a candidate, of its characters or of its bytes; `multiple_choice_grade` of BIG-bench; `calibration`. Of `mode: rolling`: `word_perplexity`, `byte_perplexity`, `bits_per_byte`. The figures of [benchmarks](../benchmarks.md): `glue`, `superglue` (of choices), `squad`, `triviaqa`, `bbh`, `exact_str_match` of BIG-bench, `openai_evals` and its `model_graded` (of a grader's answers), `alpaca_eval` (of a judge's), `arena` (of battles), and HELM's `quasi_exact_match`, `prefix_match`, `quasi_prefix_match` and `set_f1`.
   *
   * @minItems 1
   */
  readonly metrics: (
    | 'exact_match'
    | 'token_f1'
    | 'judge_score'
    | 'preference'
    | 'finished'
    | 'loss'
    | 'perplexity'
    | 'pass_at_k'
    | 'human_rating'
    | 'judge_agreement'
    | 'accuracy'
    | 'accuracy_per_character'
    | 'accuracy_per_byte'
    | 'multiple_choice_grade'
    | 'calibration'
    | 'word_perplexity'
    | 'byte_perplexity'
    | 'bits_per_byte'
    | 'glue'
    | 'superglue'
    | 'squad'
    | 'triviaqa'
    | 'bbh'
    | 'exact_str_match'
    | 'openai_evals'
    | 'model_graded'
    | 'alpaca_eval'
    | 'arena'
    | 'quasi_exact_match'
    | 'prefix_match'
    | 'quasi_prefix_match'
    | 'set_f1'
  )[];
  /**
   * Fields of the rows, such as a subject: each metric is also taken for every value of them, and as the mean in which each value counts once.
   */
  readonly by: string[];
  /**
   * A field of the rows: each metric that is a mean over responses is also taken of the worst response for each value of the field, such as the `instance` of perturbed questions.
   */
  readonly worst_of?: string;
  /**
   * How intervals are found for figures without a formula for their error.
   */
  readonly bootstrap: {
    /**
     * How often the responses are drawn again.
     */
    readonly rounds: number;
    /**
     * Decides the draws.
     */
    readonly seed: number;
  };
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
  /**
   * How a mark is read from a judge's answer.
   */
  readonly judge_score: {
    /**
     * The lowest mark.
     */
    readonly minimum: number;
    /**
     * The highest mark.
     */
    readonly maximum: number;
    /**
     * A regular expression whose first group is the mark; its last match in the answer counts. Without it the whole answer must be an integer.
     */
    readonly pattern?: string;
  };
  /**
   * For `pass_at_k`.
   */
  readonly pass_at_k: {
    /**
     * The numbers of samples; every problem needs as many.
     *
     * @minItems 1
     */
    readonly k: number[];
    /**
     * The field of the row that says which problem a sample is for.
     */
    readonly problem_field: string;
  };
}
