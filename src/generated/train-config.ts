// Generated from schemas/stages/train.schema.json.

/**
 * Tunes a model on batches of examples and keeps the history of its losses.
 */
export interface TrainConfig {
  /**
   * The number of passes over the training examples.
   */
  readonly epochs: number;
  /**
   * What is minimized. `sft`: the loss on examples. The others compare answers ([preference tuning](../preference.md)): `dpo` (direct preference optimization), `ipo`, `simpo` and `orpo` take pairs of answers, `kto` answers that are labeled as desirable or not. `dpo`, `ipo` and `kto` compare with a reference model: the model as it was before training, or that of the stage [reference](reference.md).
   */
  readonly objective: 'sft' | 'dpo' | 'ipo' | 'simpo' | 'orpo' | 'kto';
  /**
   * The settings of the objectives that compare answers, by trl's names. A field that the objective does not use is an error.
   */
  readonly preference: {
    /**
     * How strongly preferences count: for `dpo`, `ipo` and `kto` a larger beta keeps the model closer to its reference; for `simpo` it scales the difference of the answers (the paper uses 2 and more), for `orpo` it is the weight of the preference beside the likelihood (the paper's lambda). 0.1 if it is not set, as in trl.
     */
    readonly beta?: number;
    /**
     * For `dpo`: `sigmoid`, the loss of its paper; `hinge` (SLiC); `robust`, which is unbiased if a share `label_smoothing` of the preferences is wrong; `apo_zero` and `apo_down`, which also fix whether the likelihood of the preferred answer rises or falls. `sigmoid` if it is not set.
     */
    readonly loss_type?: 'sigmoid' | 'hinge' | 'robust' | 'apo_zero' | 'apo_down';
    /**
     * For `dpo` (`sigmoid` and `robust`) and `simpo`: the share of the preferences that may be the wrong way round. 0 if it is not set.
     */
    readonly label_smoothing?: number;
    /**
     * For `dpo` and `ipo`: leaves the reference out, as if it found all answers equally likely.
     */
    readonly reference_free?: boolean;
    /**
     * For `dpo`: divides the log-probability of an answer by its number of tokens, so that long answers do not count more. `ipo`, `simpo` and `orpo` always do.
     */
    readonly average_log_prob?: boolean;
    /**
     * For `simpo`: by how much the preferred answer has to be likelier, before beta; 0.5 if it is not set.
     */
    readonly simpo_gamma?: number;
    /**
     * For `kto`: the weight of desirable answers; 1 if it is not set.
     */
    readonly desirable_weight?: number;
    /**
     * For `kto`: the weight of undesirable answers; 1 if it is not set. Where there are more of one kind, the paper weights the other so that the two are in balance.
     */
    readonly undesirable_weight?: number;
  };
  /**
   * How gradients update the weights. [Training](../training.md) compares the optimizers.
   */
  readonly optimizer:
    | {
        /**
         * AdamW with PyTorch's formula: the weight decay is decoupled from the gradient.
         */
        readonly name: 'adamw';
        /**
         * The peak rate; `schedule` sets how it changes over the steps.
         */
        readonly learning_rate: number;
        /**
         * Each step subtracts this share of a weight, times the learning rate.
         */
        readonly weight_decay: number;
        /**
         * The decay rates of the running means of gradients and of squared gradients.
         *
         * @minItems 2
         * @maxItems 2
         */
        readonly betas: number[];
        /**
         * Added to the root of the mean squared gradient to avoid division by zero.
         */
        readonly epsilon: number;
        /**
         * Which weights decay: `all`, or only `matrices`, which excludes biases and norms, as Hugging Face's Trainer does.
         */
        readonly decay: 'all' | 'matrices';
      }
    | {
        /**
         * Adafactor as in Hugging Face's transformers. Of a matrix it keeps two vectors where AdamW keeps two matrices.
         */
        readonly name: 'adafactor';
        /**
         * The peak rate. It is required unless `relative_step` sets the rate.
         */
        readonly learning_rate?: number;
        /**
         * Each step subtracts this share of a weight, times the learning rate.
         */
        readonly weight_decay: number;
        /**
         * Which weights decay: `all`, or only `matrices`.
         */
        readonly decay: 'all' | 'matrices';
        /**
         * What is added to the squared gradient, and the least root mean square of a parameter for `scale_parameter`.
         *
         * @minItems 2
         * @maxItems 2
         */
        readonly epsilon: number[];
        /**
         * The largest root mean square of a parameter's update, before the learning rate.
         */
        readonly clip_threshold: number;
        /**
         * In step t the running means weigh their past by 1 - t^decay_rate.
         */
        readonly decay_rate: number;
        /**
         * The decay rate of a running mean of updates, which takes as much memory as the weights. Without it there is none.
         */
        readonly beta1?: number;
        /**
         * Multiplies each parameter's learning rate by the root mean square of its weights.
         */
        readonly scale_parameter: boolean;
        /**
         * Sets the learning rate by the step t: 1 / sqrt(t), at most 0.01; instead of `learning_rate` and `schedule`.
         */
        readonly relative_step: boolean;
        /**
         * With `relative_step`: lets the rate rise first, by 1e-6 in each step.
         */
        readonly warmup_init: boolean;
      }
    | {
        /**
         * Lion: every weight moves by the learning rate, in the direction of a sign. It keeps one matrix where AdamW keeps two.
         */
        readonly name: 'lion';
        /**
         * The peak rate; good ones are a third to a tenth of AdamW's.
         */
        readonly learning_rate: number;
        /**
         * Each step subtracts this share of a weight, times the learning rate; good ones are three to ten times AdamW's.
         */
        readonly weight_decay: number;
        /**
         * Which weights decay: `all`, or only `matrices`.
         */
        readonly decay: 'all' | 'matrices';
        /**
         * How much the running mean weighs against the gradient: for the step, and for the running mean itself.
         *
         * @minItems 2
         * @maxItems 2
         */
        readonly betas: number[];
      }
    | {
        /**
         * Stochastic gradient descent with PyTorch's formula. Without momentum it keeps nothing.
         */
        readonly name: 'sgd';
        /**
         * The peak rate; good ones are far above AdamW's.
         */
        readonly learning_rate: number;
        /**
         * This share of a weight is added to its gradient.
         */
        readonly weight_decay: number;
        /**
         * Which weights decay: `all`, or only `matrices`.
         */
        readonly decay: 'all' | 'matrices';
        /**
         * Each step continues this share of the one before it.
         */
        readonly momentum: number;
        /**
         * Looks ahead by one step of the momentum (Nesterov's).
         */
        readonly nesterov: boolean;
      };
  /**
   * Multiplies the learning rate of the parameters whose names match a pattern, as `trainable` has them; where several match, they multiply.
   */
  readonly learning_rate_multipliers?: {
    readonly [k: string]: number;
  };
  /**
   * Multiplies the learning rate once for every layer between a parameter and the head, so that the lower layers change less. The head and the last norm have the full rate, the embeddings the lowest.
   */
  readonly layerwise_lr_decay?: number;
  /**
   * With `lora`: multiplies the learning rate of the adapters' second matrices, B (LoRA+); 16 is usual. Without it both have the same rate.
   */
  readonly loraplus_lr_ratio?: number;
  /**
   * Adds uniform noise to the embedded tokens of each training step (NEFTune), scaled by this over the root of an example's tokens times the hidden size. It depends only on the seed and the step; evaluation has none.
   */
  readonly neftune_noise_alpha?: number;
  /**
   * How the learning rate changes over the steps. It is zero in the first step of a warm-up, as in Hugging Face's schedules.
   */
  readonly schedule: {
    /**
     * After the warm-up the rate stays (`constant`), decays linearly (`linear`) or along half a cosine (`cosine`), or stays and decays only at the end (`wsd`: warm-up, stable, decay).
     */
    readonly name: 'constant' | 'linear' | 'cosine' | 'wsd';
    /**
     * The number of steps over which the rate rises from zero. Without it and `warmup_share` there is no warm-up.
     */
    readonly warmup_steps?: number;
    /**
     * The warm-up as a share of all steps, rounded up; instead of `warmup_steps`.
     */
    readonly warmup_share?: number;
    /**
     * The share of the learning rate at which a decay ends and the warm-up of `wsd` starts; 0 if it is not set.
     */
    readonly final_share?: number;
    /**
     * The number of steps at the end over which a `wsd` schedule decays. Without it and `decay_share` it is a tenth of all steps.
     */
    readonly decay_steps?: number;
    /**
     * The decay of a `wsd` schedule as a share of all steps, rounded up; instead of `decay_steps`.
     */
    readonly decay_share?: number;
    /**
     * How a `wsd` schedule decays: along half a `cosine` (the default), linearly (`linear`), or as `1-sqrt`, which is steep at first.
     */
    readonly decay_shape?: 'cosine' | 'linear' | '1-sqrt';
  };
  /**
   * Trains low-rank adapters of the model's projections instead of its weights, which takes less memory. The output is the model with the adapters merged into it, and in its folder `adapter` the adapters alone, in PEFT's layout. `continue` goes on with the adapter at the port `adapter`, which decides all of these settings. See [Adapters](../adapters.md).
   */
  readonly lora?:
    | 'continue'
    | {
        /**
         * The adapters' rank: the size of the bottleneck between input and output.
         */
        readonly r: number;
        /**
         * An adapter's output is multiplied by `alpha / r`.
         */
        readonly alpha: number;
        /**
         * The share of an adapter's inputs that each training step drops.
         */
        readonly dropout: number;
        /**
         * Which projections get an adapter: `all-linear`, all except the head, or a list of names (`q_proj`, `c_attn`), ends of names (`attn.c_proj`) and patterns (`h.1*.attn.*`). Embeddings (`embed_tokens`, `wte`) and a head that is tied to one get an adapter if they are named.
         */
        readonly targets: 'all-linear' | string[];
        /**
         * Ranks of single projections, by names and patterns as in `targets`; `r` is that of the others.
         */
        readonly rank_pattern: {
          readonly [k: string]: number;
        };
        /**
         * The `alpha` of single projections, by names and patterns as in `targets`.
         */
        readonly alpha_pattern: {
          readonly [k: string]: number;
        };
        /**
         * Multiplies by `alpha / sqrt(r)` instead (rank-stabilized LoRA).
         */
        readonly use_rslora: boolean;
        /**
         * Trains the norm of each output's weights apart from their direction (DoRA). It often learns more at a low rank, and takes longer.
         */
        readonly use_dora: boolean;
        /**
         * Modules that are trained whole and kept with the adapter, such as the embeddings for new tokens: names and patterns as in `targets`. The trained copy of a tied embedding is its own: the head keeps the base's weights, unless `ensure_weight_tying` is set.
         */
        readonly modules_to_save: string[];
        /**
         * Keeps the head of a tied model tied to an embedding in `modules_to_save`.
         */
        readonly ensure_weight_tying: boolean;
        /**
         * Which of the model's biases are trained too: none, all, or those of the projections with an adapter (`lora_only`).
         */
        readonly bias: 'none' | 'all' | 'lora_only';
      };
  /**
   * The type to which the factors of matrix products are rounded, in training and in evaluation: `bf16` (bfloat16) or `fp16` (half precision) is faster where the device has it. Weights, gradients, the optimizer's state and everything but the products stay in float32. In `fp16` the loss is scaled, as torch's GradScaler does. See [Training](../training.md#half-precision).
   */
  readonly precision: 'float32' | 'bf16' | 'fp16';
  /**
   * With `lora`: how the frozen projections of the model are kept, in blocks of 32 weights that share a scale: `int8` takes 1.1 bytes a weight and `int4` 0.75, instead of 4. Weights that `keep_quantized` of load kept stay as the file has them, embeddings too. The adapter is trained, and the model merged, with the rounded weights. On the processor only. See [Adapters](../adapters.md#a-smaller-base).
   */
  readonly base_precision: 'float32' | 'int8' | 'int4';
  /**
   * Trains only these parameters and freezes the others, which get no gradient and no optimizer state. A list of names, ends of names (`ln_f.weight`) and patterns (`transformer.h.1*`); a leading `!` excludes what matches.
   *
   * @minItems 1
   */
  readonly trainable?: string[];
  /**
   * Of the embedding, and of an output layer of its own, trains only the rows of these tokens: `new` for those that `load` added, or a list of tokens. The other rows stay as they are. With `lora` the rows are trained beside the adapters and become part of the adapter. See [Tokens](../tokens.md).
   */
  readonly trainable_tokens?: 'new' | string[];
  /**
   * The shares of elements that each training step drops; GPT-2 was trained with 0.1 everywhere. Which elements depends only on the seed and the step; evaluation drops nothing. `model` uses the rates of the model's config.json, as transformers does; otherwise they are ignored, and the run says so.
   */
  readonly dropout:
    | 'model'
    | {
        /**
         * Of the embedded tokens (`embd_pdrop`). GPT-2 only.
         */
        readonly embedding: number;
        /**
         * Of the attention weights (`attn_pdrop`, `attention_dropout`).
         */
        readonly attention: number;
        /**
         * Of what attention and the feed-forward layer add to the residual stream (`resid_pdrop`). GPT-2 only.
         */
        readonly residual: number;
      };
  /**
   * The largest norm of all gradients together; larger gradients are scaled down to it. Without it nothing is clipped.
   */
  readonly clip_norm?: number;
  /**
   * What to do if a step's loss is a spike. Without it spikes are ignored; a loss that is not finite stops the training in any case.
   */
  readonly on_spike?: {
    /**
     * Such a step changes no weight, and the training continues with the next (`skip`) or ends there (`stop`). The history marks the step.
     */
    readonly action: 'skip' | 'stop';
    /**
     * A spike is a loss above this multiple of the median of the last `window` steps' losses.
     */
    readonly above: number;
    /**
     * The number of steps in the median; before that many steps, no loss is a spike.
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
     * How many batches of each set are evaluated; a smaller set is evaluated whole. The loss is the mean of the batches' means.
     */
    readonly batches: number;
    /**
     * Also lets the model answer prompts with the weights of the moment, by greedy decoding, and scores the answers: a falling loss does not say that answers get better. It needs the `prompts` port.
     */
    readonly generation?: {
      /**
       * The [metrics](evaluate.md#metrics) of the answers.
       *
       * @minItems 1
       */
      readonly metrics: (
        | 'exact_match'
        | 'token_f1'
        | 'finished'
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
      )[];
      /**
       * How many of the prompts are answered, the same ones each time; fewer if there are not enough. `seed` draws them.
       */
      readonly rows: number;
      /**
       * Steps from one time to the next. Without it the model answers at the end of each epoch. Before training and at the end it always does.
       */
      readonly every?: number;
      /**
       * The most tokens of an answer.
       */
      readonly max_new_tokens: number;
      /**
       * Where the model begins, as in [generate](generate.md): after the `prompt`, or after the `header` as well.
       */
      readonly start: 'prompt' | 'header';
      /**
       * Texts that end an answer; they are not part of it.
       */
      readonly stop: string[];
      /**
       * How many prompts are answered together.
       */
      readonly batch_size: number;
      /**
       * The seed that draws the prompts.
       */
      readonly seed: number;
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
    };
  };
  /**
   * What `early_stop` and `keep: best` watch: the `validation_loss`, that of one of several validation sets (`validation_loss/NAME`), a metric of `evaluate.generation`, or for objectives that compare answers `validation_rewards_accuracies` or `validation_rewards_margins`. Its direction is known.
   */
  readonly metric_for_best_model: string;
  /**
   * Ends the training when what `metric_for_best_model` names gets no better.
   */
  readonly early_stop?: {
    /**
     * The number of evaluations in a row without a better value after which the training ends.
     */
    readonly patience: number;
    /**
     * By how much a value must be better than the best so far to count as better.
     */
    readonly min_delta: number;
  };
  /**
   * Which weights become the output: those of the `last` step, or the `best`, by `metric_for_best_model`; of equal ones the earliest.
   */
  readonly keep: 'last' | 'best';
  /**
   * A sample that the model writes after each epoch, for a person to read: its answer to the first validation prompt, or to the first training prompt if there is no validation set.
   */
  readonly sample: {
    /**
     * The most tokens of the sample; 0 for no sample.
     */
    readonly max_new_tokens: number;
  };
  /**
   * For how many of the latest epochs the state is kept in the store, so that a longer training resumes from there; 0 for none. A state is three to four times as large as the weights.
   */
  readonly keep_epochs: number;
  /**
   * The seed that shuffles the training examples in each epoch. Without it, the seed of the batches' recipe is used.
   */
  readonly seed?: number;
  /**
   * How many examples of a batch are computed at a time, to save memory. Gradients are accumulated over the batch with equal weight for every target, so losses differ only by rounding. Without it a batch is computed whole.
   */
  readonly micro_batch_size?: number;
  /**
   * Keeps only the hidden states between layers for the gradient and computes the inside of each layer again, to save memory: a step takes about a third longer. Losses and gradients are the same, so this is not in the key.
   */
  readonly gradient_checkpointing: boolean;
  /**
   * Computes a batch's examples one after the other without padding between them; attention stays within each. This takes less time, and losses and gradients differ from those of padded batches only by rounding.
   */
  readonly padding_free: boolean;
  /**
   * Rounds the length of attention's rows up to a multiple of this, and the tokens of a batch to a multiple of twice this, so that fewer shapes are compiled. The padding changes losses only by rounding.
   */
  readonly pad_to_multiple_of: number;
}
