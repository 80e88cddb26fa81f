// Generated from schemas/stages/tokenize.schema.json.

/**
 * Turns formatted records into token ids, with the tokenizer at its port or one of OpenAI's encodings.
 */
export interface TokenizeConfig {
  /**
   * One of OpenAI's encodings by its name; without it the tokenizer comes from the `tokenizer` port. GPT-2's is r50k_base.
   */
  readonly encoding?: 'r50k_base' | 'p50k_base' | 'p50k_edit' | 'cl100k_base' | 'o200k_base' | 'o200k_harmony';
  /**
   * The token that begins a text. `auto`: put before each text if the tokenizer adds one (`add_bos_token`, or the post-processor of its tokenizer.json), as in transformers; a chat template writes its own. `always`: before every text. `never`: before none. It is never there twice.
   */
  readonly bos: 'auto' | 'always' | 'never';
}
