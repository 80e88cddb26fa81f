// Generated from schemas/stages/generate.schema.json.

/**
 * Lets a model answer prompts, or rate the responses that they should have.
 */
export interface GenerateConfig {
  /**
   * `text`: the model writes an answer to each prompt. `score`: it rates the response that the record holds, which makes loss and perplexity. `choices`: it rates each of the record's `choices` as what comes after the prompt, which makes accuracy. `rolling`: it rates the record's whole text, window by window, which makes word and byte perplexity. The fields about writing mean something with `text` only.
   */
  readonly mode: 'text' | 'score' | 'choices' | 'rolling';
  /**
   * The most tokens that an answer may have.
   */
  readonly max_new_tokens: number;
  /**
   * Where the model begins: after the `prompt`, so that it writes the response's header itself, or after the `header` as well.
   */
  readonly start: 'prompt' | 'header';
  /**
   * 0 takes the likeliest token each time. Above 0 tokens are drawn by chance; the higher, the more varied.
   */
  readonly temperature: number;
  /**
   * Draws from so many of the likeliest tokens only.
   */
  readonly top_k?: number;
  /**
   * Draws from the likeliest tokens only, as many as together reach this probability.
   */
  readonly top_p: number;
  /**
   * Draws only from tokens that are at least so likely as this share of the likeliest one.
   */
  readonly min_p: number;
  /**
   * Above 1 makes tokens less likely that stand in the prompt or in the answer so far: positive logits are divided by it, negative ones multiplied, as in transformers.
   */
  readonly repetition_penalty: number;
  /**
   * Decides the draws, for each record on its own: an answer does not depend on which other records are asked.
   */
  readonly seed: number;
  /**
   * How many answers each prompt gets, as pass@k needs them. The first has the record's id, the others `#2`, `#3` and so on behind it; each has draws of its own, so `temperature` has to be above 0.
   */
  readonly samples: number;
  /**
   * Texts that end an answer; they are not part of it. The model's own end of text always ends it.
   */
  readonly stop: string[];
  /**
   * Ids of tokens that end an answer; they are not part of it. Those that the model's own configuration names (`eos_token_id`) always end it.
   */
  readonly stop_tokens: number[];
  /**
   * Takes surrounding white space out of the answer and, with `start: prompt`, the response's header, which the model then writes itself.
   */
  readonly clean: boolean;
  /**
   * How many prompts are worked on together. More is faster and takes more memory.
   */
  readonly batch_size: number;
  /**
   * `int8` takes the weights of a model in this process in 8 bits, in blocks of 32 that share a scale: faster, and not quite the same numbers. docs/precision.md says how far off they are.
   */
  readonly precision: 'float32' | 'int8';
  /**
   * With `rolling`: how many tokens the model sees at once; by default as many as its context has.
   */
  readonly window?: number;
  /**
   * With `text` and `choices`: what happens to a prompt that does not fit into the model's context. `refuse`: the stage fails and names it. `cut`: its first tokens are left out, as lm-evaluation-harness does.
   */
  readonly too_long: 'refuse' | 'cut';
  /**
   * How to reach a model that was loaded as `openai:<name>`. None of it changes an answer, so none is in the key. The API key comes from the environment variable OPENAI_API_KEY alone.
   */
  readonly endpoint: {
    /**
     * Address of a server that speaks OpenAI's protocol; by default the environment variable OPENAI_BASE_URL, else OpenAI's own.
     */
    readonly base_url?: string;
    /**
     * How many requests may be under way at once.
     */
    readonly concurrency: number;
    /**
     * How long one request may take.
     */
    readonly timeout_seconds: number;
    /**
     * How often a request is repeated after a fault that may pass.
     */
    readonly retries: number;
  };
}
