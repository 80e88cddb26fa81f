// Generated from schemas/stages/load.schema.json.

/**
 * Brings rows of data, a model with its tokenizer, or adapters, into the pipeline. Takes exactly one of `records`, `model`, `init`, `adapter` and `adapters`.
 */
export interface LoadConfig {
  /**
   * A file with rows of data: a JSON list of objects, JSONL, CSV, TSV (each also packed with gzip) or Parquet; a folder of such files, which are read in the order of their names; or, with `*` in the last name, the files of a folder that match. A path, `hf:datasets/owner/name[@revision][:path][#split]` or an `https:` address. Or a list of such sources, whose rows are [mixed](#several-sources).
   */
  readonly records?:
    | string
    | {
        /**
         * The source's name. Its rows have it in their field `dataset`, and their ids begin with it.
         */
        readonly name: string;
        /**
         * The file, folder, pattern or address, as `records` takes it.
         */
        readonly path: string;
        /**
         * How many rows to take from the beginning of this source; by default all.
         */
        readonly limit?: number;
        /**
         * How often each row is taken: 2 takes every row twice, 0.5 takes half of them (rounded down, drawn by `seed`), 1.5 every row once and half of them again.
         */
        readonly weight: number;
        /**
         * How this source's rows are written, as `type` of load.
         */
        readonly type: 'auto' | 'json' | 'jsonl' | 'csv' | 'tsv' | 'parquet';
        /**
         * As `columns` of load, for this source.
         *
         * @minItems 1
         */
        readonly columns?: string[];
        /**
         * As `quotes` of load, for this source.
         */
        readonly quotes?: boolean;
        /**
         * As `field` of load, for this source.
         */
        readonly field?: string;
        /**
         * New names for this source's fields: the name here, then the name in the data.
         */
        readonly fields?: {
          readonly [k: string]: string;
        };
        /**
         * As `id` of load, for this source.
         */
        readonly id?: string;
      }[];
  /**
   * The benchmark whose published layout the file or folder of `records` has; [Benchmarks](../benchmarks.md#data) lists them. Without it the rows are in a format of `type`.
   */
  readonly as?:
    | 'mmlu'
    | 'glue'
    | 'superglue'
    | 'bigbench'
    | 'bbh'
    | 'squad'
    | 'triviaqa'
    | 'humaneval'
    | 'alpaca_eval'
    | 'openai_evals'
    | 'arena'
    | 'mt_bench'
    | 'predictions'
    | 'lm_eval';
  /**
   * With `as`: which files of a folder to read, by the benchmark's names for them, such as `test`, `dev` or `train`; [Benchmarks](../benchmarks.md#data) has the defaults.
   */
  readonly split?: string;
  /**
   * With `as`: only these tasks, subjects or evals of a folder; for a single file of glue or superglue, its task.
   *
   * @minItems 1
   */
  readonly tasks?: string[];
  /**
   * With `as: lm_eval`: the rows of the tasks, which are read from nowhere else. A folder with a file for each split, `test.jsonl` or `virology/test-00000-of-00001.parquet`; one file of rows; or a file for each split, by its name in the task.
   */
  readonly data?:
    | string
    | {
        readonly [k: string]: string;
      };
  /**
   * With `as: lm_eval`: how many solved examples precede each question, instead of the task's own number. A task with `num_fewshot: 0` keeps it, as in lm-evaluation-harness.
   */
  readonly num_fewshot?: number;
  /**
   * How the rows are written. `auto` looks at the content: `PAR1` begins Parquet, `[` JSON, `{` JSONL; otherwise a tab in the first line means TSV, no tab CSV. [Files](#files) says how each is read.
   */
  readonly type: 'auto' | 'json' | 'jsonl' | 'csv' | 'tsv' | 'parquet';
  /**
   * Names of the columns of a CSV or TSV file without a header row.
   *
   * @minItems 1
   */
  readonly columns?: string[];
  /**
   * Whether a value of a CSV or TSV file may be in double quotes, as pandas and spreadsheets write it. `false` if quotation marks are part of the text, as in GLUE's files. By default it may, but a quoted value of a TSV file with both tabs and line breaks is an error.
   */
  readonly quotes?: boolean;
  /**
   * The field of a JSON file that holds the list of rows, as in `{"data": [...]}`. With dots it leads through objects and lists: `data.paragraphs.qas`.
   */
  readonly field?: string;
  /**
   * New names for fields: the name here, then the name in the data. Other fields keep their names; a name that no row has is an error.
   */
  readonly fields?: {
    readonly [k: string]: string;
  };
  /**
   * The field in the data that holds each row's id. By default the row's `id`, else the hash of its content, with an ordinal among equal rows.
   */
  readonly id?: string;
  /**
   * How many rows to take from the beginning; by default all.
   */
  readonly limit?: number;
  /**
   * The random seed that draws rows of sources with a fractional `weight`. Only with a list of sources.
   */
  readonly seed: number;
  /**
   * A folder in Hugging Face's layout (config.json, model.safetensors, and tokenizer.json or encoding.json), a llama.cpp GGUF file, or OpenAI's original checkpoint of GPT-2: by its path, as `hf:owner/name[@revision][:path]` or as an `https:` address. Or `openai:<name>` for a model behind an endpoint that speaks OpenAI's protocol.
   */
  readonly model?: string;
  /**
   * A LoRA adapter in PEFT's layout (adapter_config.json and adapter_model.safetensors), for `generate` and `train`: the path of its folder, as `hf:owner/name[@revision][:path]`. The output is at the port `adapter`. See [Adapters](../adapters.md).
   */
  readonly adapter?: string;
  /**
   * Several adapters of one base by names of your choice, which are the parts of the output `adapters`: `generate` answers with each of them, and reads the base once.
   */
  readonly adapters?: {
    readonly [k: string]: string;
  };
  /**
   * If the model's output layer shares the weights of the token embedding, gives it its own output layer, which starts as a copy. Only with `model`.
   */
  readonly untie_head: boolean;
  /**
   * Keeps the weights of a GGUF file as they are, in a model folder with the file itself, instead of widening them to float32: `base_precision` of train and `precision` of generate then compute with the file's own bits. Only with `model`. See [Precision](../precision.md#a-gguf-files-own-bits).
   */
  readonly keep_quantized: boolean;
  /**
   * Tokens to add to the vocabulary, each of which is found in a text before it is split into words. The model gets a row of its embedding for each, and of its output layer; both outputs of the stage have them. See [Tokens](../tokens.md).
   *
   * @minItems 1
   */
  readonly add_tokens?: string[];
  /**
   * Special tokens to add to the vocabulary: chat templates write them, and no text becomes one, whatever it contains.
   *
   * @minItems 1
   */
  readonly add_special_tokens?: string[];
  /**
   * Adds rows without a token to the embedding and the output layer, until their number is a multiple of this; some hardware computes faster then.
   */
  readonly pad_vocabulary_to_multiple_of?: number;
  /**
   * Makes a model with fresh random weights.
   */
  readonly init?: {
    /**
     * The architecture, as `model_type` names it; see [Models](../models.md). `mixtral` and `qwen3_moe` get 8 experts, of which a token uses 2.
     */
    readonly family:
      | 'gpt2'
      | 'llama'
      | 'mixtral'
      | 'qwen3'
      | 'qwen3_moe'
      | 'olmo2'
      | 'gpt_neox'
      | 'phi'
      | 'gemma2'
      | 'gemma3_text';
    /**
     * How many tokens the model can read at once.
     */
    readonly context_length: number;
    /**
     * The hidden size, which is the length of a token's vector; a multiple of `heads`.
     */
    readonly width: number;
    /**
     * Number of transformer blocks.
     */
    readonly layers: number;
    /**
     * Number of attention heads in each block.
     */
    readonly heads: number;
    /**
     * Whether the output layer shares its weights with the token embedding.
     */
    readonly tied: boolean;
    /**
     * Rows of the token embedding; by default as many as the tokenizer has tokens, and never fewer.
     */
    readonly vocabulary_size?: number;
    /**
     * The seed of the random weights.
     */
    readonly seed: number;
    /**
     * The tokenizer by the name of one of OpenAI's encodings. Takes exactly one of `encoding` and `tokenizer`.
     */
    readonly encoding?: 'r50k_base' | 'p50k_base' | 'p50k_edit' | 'cl100k_base' | 'o200k_base' | 'o200k_harmony';
    /**
     * Path of a tokenizer.json, or of a folder with one (and perhaps a tokenizer_config.json).
     */
    readonly tokenizer?: string;
  };
}
