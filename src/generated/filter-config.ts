// Generated from schemas/stages/filter.schema.json.

/**
 * Keeps the records that satisfy every rule, and writes the others beside them with the rule that dropped each.
 */
export interface FilterConfig {
  /**
   * What a record must satisfy to be kept, in order: the first rule that it breaks drops it, and later rules do not see it.
   *
   * @minItems 1
   *
   * Items: One rule: a condition, and the `field` or `fields` that it is about.
   */
  readonly rules: {
    /**
     * What the counts and the dropped records call the rule; by default its words.
     */
    readonly name?: string;
    /**
     * The field of the row that the condition is about. Without it `characters`, `tokens`, `matches` and `does_not_match` are about the whole text that a `format` stage has written.
     */
    readonly field?: string;
    /**
     * With `unique` and `uncontaminated`: the fields that are compared, all together; by default all but `id` and `dataset`.
     *
     * @minItems 1
     */
    readonly fields?: string[];
    /**
     * The field says something: it is not absent, null, empty or blank. `false`: it says nothing.
     */
    readonly present?: boolean;
    /**
     * The field has one of these values.
     *
     * @minItems 1
     */
    readonly one_of?: (string | number | boolean)[];
    /**
     * The field has none of these values.
     *
     * @minItems 1
     */
    readonly none_of?: (string | number | boolean)[];
    /**
     * The field is a number, or the text of one, that is not less than this.
     */
    readonly at_least?: number;
    /**
     * The field is a number, or the text of one, that is not greater than this.
     */
    readonly at_most?: number;
    /**
     * The length of the text, in Unicode characters. A conversation's text is its turns'.
     */
    readonly characters?: {
      /**
       * The fewest characters.
       */
      readonly at_least?: number;
      /**
       * The most characters.
       */
      readonly at_most?: number;
    };
    /**
     * The length of the text in tokens of `encoding`, or of the tokenizer at the port `tokenizer`.
     */
    readonly tokens?: {
      /**
       * The fewest tokens.
       */
      readonly at_least?: number;
      /**
       * The most tokens.
       */
      readonly at_most?: number;
    };
    /**
     * The regular expression is found in the text. Its syntax is RE2's, which takes time in proportion to the text whatever the expression is: no look-around and no back-references. `(?i)` ignores case.
     */
    readonly matches?: string;
    /**
     * The regular expression is not found in the text; its syntax is that of `matches`.
     */
    readonly does_not_match?: string;
    /**
     * No record before it that was kept is equal: `exact`, or `normalized`: in lowercase, by Unicode's compatibility forms and with every run of white space as one space.
     */
    readonly unique?: 'exact' | 'normalized';
    /**
     * No record at the port `against` is equal, compared as by `unique`; or with `ngrams` has `ngram` words in a row in common.
     */
    readonly uncontaminated?: 'exact' | 'normalized' | 'ngrams';
    /**
     * With `uncontaminated: ngrams`: the number of words (runs of letters and digits, in lowercase) in a row that count as common; 13 if it is not set, as GPT-3's authors chose. A shorter text is compared as a whole.
     */
    readonly ngram?: number;
  }[];
  /**
   * For `tokens`: one of OpenAI's encodings by its name; without it the tokenizer comes from the port `tokenizer`.
   */
  readonly encoding?: 'r50k_base' | 'p50k_base' | 'p50k_edit' | 'cl100k_base' | 'o200k_base' | 'o200k_harmony';
}
