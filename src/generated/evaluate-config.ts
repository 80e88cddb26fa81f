// Generated from schemas/stages/evaluate.schema.json.

/**
 * Scores responses with metrics. It never runs a model, so scoring again is cheap.
 */
export interface EvaluateConfig {
  /**
   * What to measure: one or more of the [metrics](#metrics), by name.
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
    | 'bleu'
    | 'chrf'
    | 'chrf_plus_plus'
    | 'rouge1'
    | 'rouge2'
    | 'rouge_l'
    | 'rouge_lsum'
    | 'lm_eval'
  )[];
  /**
   * Fields of the rows, such as a subject: each metric is also computed for every value of a field, and as the mean in which each value counts once.
   */
  readonly by: string[];
  /**
   * A field of the rows, such as the `instance` of perturbed questions: each metric that is a mean over responses is also computed over the worst response for each value of the field.
   */
  readonly worst_of?: string;
  /**
   * The bootstrap intervals of figures whose error has no formula.
   */
  readonly bootstrap: {
    /**
     * The number of resamples.
     */
    readonly rounds: number;
    /**
     * The random seed.
     */
    readonly seed: number;
  };
  /**
   * What `exact_match` ignores. White space around an answer never counts.
   */
  readonly exact_match: {
    /**
     * Ignores case.
     */
    readonly ignore_case: boolean;
    /**
     * `squad` compares as SQuAD's scorer does: in lowercase, without punctuation and without a, an, the.
     */
    readonly normalize: 'none' | 'squad';
  };
  /**
   * How `bleu` compares texts.
   */
  readonly bleu: {
    /**
     * What a word is: `13a` sets punctuation apart as WMT's script does, `intl` the punctuation and symbols of all languages; `char` takes each character, for languages without spaces; `none` what white space separates.
     */
    readonly tokenize: '13a' | 'intl' | 'char' | 'none';
    /**
     * Ignores case.
     */
    readonly lowercase: boolean;
  };
  /**
   * How `rouge1`, `rouge2`, `rouge_l` and `rouge_lsum` compare words.
   */
  readonly rouge: {
    /**
     * Compares the stems of English words of more than three letters, by Porter's algorithm.
     */
    readonly use_stemmer: boolean;
  };
  /**
   * With the `references` port: the field of its records that holds the expected answer, or a list of answers of which the best match counts. Without the port, the response that format wrote is expected.
   */
  readonly reference_field: string;
  /**
   * What happens to a response without its reference or the second judge's response, and to either of these without a response: `error` refuses them; `leave_out` scores the others, and counts them in the scores.
   */
  readonly unmatched: 'error' | 'leave_out';
  /**
   * For `judge_score`: the field of the row that holds the judged answer. An empty answer gets the lowest mark, whatever the judge said.
   */
  readonly judged_field: string;
  /**
   * How `judge_score` reads a mark from a judge's answer.
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
   * The options of `pass_at_k`.
   */
  readonly pass_at_k: {
    /**
     * The values of k; every problem needs at least k samples.
     *
     * @minItems 1
     */
    readonly k: number[];
    /**
     * The field of the row that names the sample's problem.
     */
    readonly problem_field: string;
  };
}
