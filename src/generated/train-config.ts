// Generated from schemas/stages/train.schema.json.

/**
 * Tunes a model on batches of examples and keeps the history of its losses.
 */
export interface TrainConfig {
  /**
   * How many times the training examples are gone through.
   */
  readonly epochs: number;
  /**
   * How weights follow their gradients.
   */
  readonly optimizer: {
    /**
     * AdamW with PyTorch's formula: the weight decay is decoupled from the gradient.
     */
    readonly name: 'adamw';
    /**
     * The highest rate; the schedule says how it changes over the steps.
     */
    readonly learning_rate: number;
    /**
     * The share of a weight that is taken away in each step, times the learning rate.
     */
    readonly weight_decay: number;
    /**
     * How much of the running means of gradients and of squared gradients is kept in each step.
     *
     * @minItems 2
     * @maxItems 2
     */
    readonly betas: number[];
    /**
     * Added to the root of the mean squared gradient, so that nothing is divided by zero.
     */
    readonly epsilon: number;
    /**
     * Which weights decay: `all`, or `matrices` alone, which spares biases and the scales of norms as Hugging Face's Trainer does.
     */
    readonly decay: 'all' | 'matrices';
  };
  /**
   * How the learning rate changes over the steps. It is zero in the first step of a warm-up, as in Hugging Face's schedules.
   */
  readonly schedule: {
    /**
     * After the warm-up the rate stays (`constant`), falls in a straight line (`linear`) or along half a cosine (`cosine`), or stays and falls at the end alone (`wsd`: warm-up, stable, decay).
     */
    readonly name: 'constant' | 'linear' | 'cosine' | 'wsd';
    /**
     * Over how many steps the rate rises from zero. Without it and `warmup_share` there is no warm-up.
     */
    readonly warmup_steps?: number;
    /**
     * The warm-up as a share of all steps, rounded up; instead of `warmup_steps`.
     */
    readonly warmup_share?: number;
    /**
     * The share of the learning rate that a falling schedule ends at, and at which the warm-up of `wsd` begins; 0 where it is not given.
     */
    readonly final_share?: number;
    /**
     * Over how many last steps a `wsd` schedule falls. Without it and `decay_share` it is a tenth of all steps.
     */
    readonly decay_steps?: number;
    /**
     * The fall of a `wsd` schedule as a share of all steps, rounded up; instead of `decay_steps`.
     */
    readonly decay_share?: number;
    /**
     * How a `wsd` schedule falls: along half a `cosine`, which is meant without it, in a straight line (`linear`) or as `1-sqrt` does, steeply at first.
     */
    readonly decay_shape?: 'cosine' | 'linear' | '1-sqrt';
  };
  /**
   * Trains low-rank adapters beside the model's projections instead of its weights, for less memory. The output is the model with the adapters merged into it, and the adapters alone in its folder `adapter`, as PEFT lays them out.
   */
  readonly lora?: {
    /**
     * The adapters' rank: how many numbers stand between the input and the output of each.
     */
    readonly r: number;
    /**
     * What an adapter adds is multiplied by `alpha / r`.
     */
    readonly alpha: number;
    /**
     * The share of an adapter's inputs that each training step leaves out.
     */
    readonly dropout: number;
    /**
     * Which projections get an adapter: `all-linear`, which is all but the head, or a list of names (`q_proj`, `c_attn`), ends of names (`attn.c_proj`) and patterns (`h.1*.attn.*`).
     */
    readonly targets: 'all-linear' | string[];
    /**
     * Multiplies by `alpha / sqrt(r)` instead (rank-stabilized LoRA).
     */
    readonly use_rslora: boolean;
  };
  /**
   * Trains these parameters alone and freezes the others, which get no gradient and no optimizer state. A list of names, ends of names (`ln_f.weight`) and patterns (`transformer.h.1*`); one with a `!` before it takes out what it names.
   *
   * @minItems 1
   */
  readonly trainable?: string[];
  /**
   * The shares of elements that each training step leaves out, as GPT-2 was trained with .1 everywhere. What is left out depends on the seed and the step alone; evaluation leaves out nothing. `model` takes the rates of the model's own config.json, as transformers does; else they do not count, and the run says so.
   */
  readonly dropout:
    | 'model'
    | {
        /**
         * Of the embedded tokens (`embd_pdrop`). GPT-2 only.
         */
        readonly embedding: number;
        /**
         * Of the attention's weights (`attn_pdrop`, `attention_dropout`).
         */
        readonly attention: number;
        /**
         * Of what a block's two parts add to its input (`resid_pdrop`). GPT-2 only.
         */
        readonly residual: number;
      };
  /**
   * The most that the norm over all gradients may be; larger gradients are scaled down to it. Without it nothing is clipped.
   */
  readonly clip_norm?: number;
  /**
   * What is done where a step's loss is a spike. Without it nothing is; a loss that is no number stops the training in any case.
   */
  readonly on_spike?: {
    /**
     * Such a step changes no weight, and the training goes on with the next (`skip`) or ends there (`stop`). The history says which it was.
     */
    readonly action: 'skip' | 'stop';
    /**
     * A spike is a loss above so many times the median of the last `window` steps' losses.
     */
    readonly above: number;
    /**
     * How many steps the median is over; before there are so many, no loss is a spike.
     */
    readonly window: number;
  };
  /**
   * When the training and validation losses are measured: before training, after the first step, then every `every` steps, and at the end.
   */
  readonly evaluate: {
    /**
     * Steps from one evaluation to the next.
     */
    readonly every: number;
    /**
     * How many batches of each set are looked at; a set with fewer is looked at whole. The loss is the mean of the batches' means.
     */
    readonly batches: number;
  };
  /**
   * Ends the training when the validation loss no longer falls. Needs the `validation` port.
   */
  readonly early_stop?: {
    /**
     * After how many evaluations in a row without a better validation loss the training ends.
     */
    readonly patience: number;
    /**
     * By how much a validation loss must fall below the best so far to count as better.
     */
    readonly min_delta: number;
  };
  /**
   * Which weights become the output: those of the `last` step, or the `best`, with the lowest validation loss of all evaluations. `best` needs the `validation` port.
   */
  readonly keep: 'last' | 'best';
  /**
   * What the model writes after each epoch, for a person to read: it answers the first validation prompt, or the first training prompt where there is no validation set.
   */
  readonly sample: {
    /**
     * How many tokens it may write; 0 for no sample.
     */
    readonly max_new_tokens: number;
  };
  /**
   * After how many of the latest epochs the state is kept in the store, so that a longer training goes on from there; 0 for none. A state is three to four times as large as the weights.
   */
  readonly keep_epochs: number;
  /**
   * Orders the training examples anew in each epoch. Without it the seed of the batches' recipe does.
   */
  readonly seed?: number;
  /**
   * How many examples of a batch are computed at a time, for less memory. Gradients add up to those of the whole batch, every target counting alike, so the losses stay the same but for rounding. Without it a batch is computed at once.
   */
  readonly micro_batch_size?: number;
  /**
   * Computes a batch's examples one after the other without padding between them; attention stays within each. Losses and gradients are those of padded batches but for rounding, in less time.
   */
  readonly padding_free: boolean;
  /**
   * Rounds the widths in which attention is computed up to a multiple of this, and the tokens of a batch to a multiple of its double, so that fewer shapes are compiled. What is filled up changes no loss beyond rounding.
   */
  readonly pad_to_multiple_of: number;
}
