// Generated from schemas/stages/generate.schema.json.

/**
 * Lets a model answer prompts, or scores the responses that they should have.
 */
export interface GenerateConfig {
  /**
   * `text`: the model writes an answer to each prompt. `score`: the log-likelihood of the record's response, for loss and perplexity. `choices`: the log-likelihood of each of the record's `choices` after the prompt, for accuracy. `rolling`: the log-likelihood of the record's whole text, window by window, for word and byte perplexity. `task`: each record as its task says (`as: lm_eval` of load), which also sets the fields about writing. These only matter with `text`.
   */
  readonly mode: 'text' | 'score' | 'choices' | 'rolling' | 'task';
  /**
   * The most tokens that an answer may have.
   */
  readonly max_new_tokens: number;
  /**
   * Where the model begins: after the `prompt`, so that it writes the response's header itself, or after the `header` as well.
   */
  readonly start: 'prompt' | 'header';
  /**
   * 0 always takes the likeliest token. Above 0 tokens are drawn at random; the higher, the more varied.
   */
  readonly temperature: number;
  /**
   * Draws only from this many of the likeliest tokens.
   */
  readonly top_k?: number;
  /**
   * Draws only from the likeliest tokens that together reach this probability.
   */
  readonly top_p: number;
  /**
   * Draws only from tokens whose probability is at least this share of the likeliest one's.
   */
  readonly min_p: number;
  /**
   * Above 1 makes tokens less likely that are already in the prompt or the answer: positive logits are divided by it, negative ones multiplied, as in transformers.
   */
  readonly repetition_penalty: number;
  /**
   * The seed of the draws. Each record has its own, so an answer does not depend on the other records.
   */
  readonly seed: number;
  /**
   * How many answers each prompt gets, as pass@k needs them. The first has the record's id, the others `#2`, `#3` and so on after it; each is drawn separately, so `temperature` must be above 0.
   */
  readonly samples: number;
  /**
   * Texts that end an answer; they are not part of it. The model's end of text always ends it.
   */
  readonly stop: string[];
  /**
   * Ids of tokens that end an answer; they are not part of it. They add to those of `stop_at_end`.
   */
  readonly stop_tokens: number[];
  /**
   * Whether an answer ends where the model's configuration (`eos_token_id`) or the chat template of its prompt (`<|im_end|>`) ends one. `false`: only the tokenizer's end of text, `stop` and `stop_tokens` end it. An endpoint ends answers itself.
   */
  readonly stop_at_end: boolean;
  /**
   * Removes surrounding white space from the answer and, with `start: prompt`, the response's header, which the model writes itself.
   */
  readonly clean: boolean;
  /**
   * The token that begins a text. `auto`: put before each prompt if the tokenizer adds one, as in transformers; a chat template writes its own. `always`: before every prompt. `never`: before none. It is never there twice. A text that is scored after nothing follows this token or, if there is none or with `never`, the end of text.
   */
  readonly bos: 'auto' | 'always' | 'never';
  /**
   * How many prompts are computed together. More is faster and takes more memory.
   */
  readonly batch_size: number;
  /**
   * `int8` computes with the weights of a model in this process in 8 bits, `int4` in 4 bits, in blocks of 32 that share a scale: faster, with different numbers. Weights that `keep_quantized` of load kept are taken with the file's own bits. See [Precision](../precision.md).
   */
  readonly precision: 'float32' | 'int8' | 'int4';
  /**
   * With `rolling`: how many tokens the model sees at once; by default as many as its context has.
   */
  readonly window?: number;
  /**
   * With `text` and `choices`: what happens to a prompt that does not fit into the model's context. `refuse`: the stage fails and names it. `cut`: its first tokens are left out, as in lm-evaluation-harness.
   */
  readonly too_long: 'refuse' | 'cut';
  /**
   * What happens when an endpoint withholds an answer (a content filter, a refusal). `fail`: the stage fails and names the records; the other answers are reused. `keep`: what came is the answer, with `content_filter` or `refusal` as its `finish_reason`.
   */
  readonly withheld: 'fail' | 'keep';
  /**
   * How to reach a model that was loaded as `openai:<name>`. None of it changes an answer, so none is in the key. The API key comes only from the environment variable OPENAI_API_KEY.
   */
  readonly endpoint: {
    /**
     * The address of a server that speaks OpenAI's protocol; by default the environment variable OPENAI_BASE_URL, else OpenAI's address.
     */
    readonly base_url?: string;
    /**
     * How many requests may be open at the same time.
     */
    readonly concurrency: number;
    /**
     * How long one request may take.
     */
    readonly timeout_seconds: number;
    /**
     * How many times a request is retried after a temporary failure.
     */
    readonly retries: number;
  };
}
