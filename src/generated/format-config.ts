// Generated from schemas/stages/format.schema.json.

/**
 * Writes each row as the text that the model reads: a prompt, a header and a response, or the turns of a conversation.
 */
export interface FormatConfig {
  /**
   * The name of a template, or your own template in Jinja. `chat` is the chat template of the tokenizer at the port `tokenizer`, for conversations and instructions. The other named templates read the fields `instruction`, `input` (which may be empty or absent) and `output`, or Dolly's `context` and `response`; `completion` reads `text`, or `prompt` and `completion`, and the templates of [benchmarks](../benchmarks.md) read what `as:` of load writes.
   */
  readonly template:
    | (
        | 'alpaca'
        | 'alpaca-stanford'
        | 'phi3'
        | 'phi3-plain'
        | 'phi3-capitalized'
        | 'completion'
        | 'chat'
        | 'mmlu'
        | 'mmlu-harness'
        | 'glue'
        | 'superglue'
        | 'bigbench'
        | 'bbh'
        | 'bbh-cot'
        | 'squad'
        | 'triviaqa'
        | 'humaneval'
        | 'openai_evals'
        | 'openai-evals-grade'
        | 'lm_eval'
      )
    | {
        /**
         * The text that the model is given. `{{ field }}` is a field of the row; test a field that may be absent with `{% if field %}`.
         */
        readonly prompt: string;
        /**
         * The text between prompt and response.
         */
        readonly header: string;
        /**
         * The right answer; empty for prompts without a known answer.
         */
        readonly response: string;
        /**
         * The responses to choose from, for `mode: choices` of generate: a list of templates, or the name of the field that holds the list.
         */
        readonly choices?: string | string[];
      }
    | {
        /**
         * A chat template instead of the tokenizer's default: `chatml`, `llama3`, `mistral`, `phi3`, the name of another of the tokenizer's templates (`tool_use`), or a source in Jinja that is given `messages`, `tools` and `add_generation_prompt`, as in transformers.
         */
        readonly chat: string;
      };
  /**
   * For preference tuning. `paired`: each row has two answers to one prompt, `chosen` and `rejected`, and the template is written once for each, with that answer in `output`, `completion` and `chosen`. `unpaired`: each row has one answer and says with `label` (or `kto_tag`) whether it is desirable. See [preference tuning](../preference.md).
   */
  readonly preference?: 'paired' | 'unpaired';
  /**
   * Solved examples before each question. They are the records at the port `shots`, or the other records without that port; for the templates of benchmarks, those of the same subject or task.
   */
  readonly shots?: {
    /**
     * The number of examples; fewer if there are not enough.
     */
    readonly count: number;
    /**
     * `first`: the first records, the same for all questions of a subject. `random`: drawn for each question.
     */
    readonly pick: 'first' | 'random';
    /**
     * The random seed; each question has its own draws.
     */
    readonly seed: number;
    /**
     * A field in which shots have the same value as the question.
     */
    readonly by?: string;
    /**
     * The text between two examples; by default a blank line, or the benchmark's separator.
     */
    readonly separator?: string;
    /**
     * The most tokens, by the tokenizer at the port `tokenizer`, of the whole text with the longest response or choice, the token that begins it or a chat template’s marks around it included: the last shots are left out until it fits.
     */
    readonly fit_tokens?: number;
  };
  /**
   * Also asks each question in changed words, as HELM does to measure robustness and fairness: one record for the unchanged question and one for each kind. The field `instance` names the question, `perturbation` the kind of change (`none` for no change).
   */
  readonly perturb?: {
    /**
     * The field of the row to change.
     */
    readonly field: string;
    /**
     * `lowercase`; `spaces`: one to three for each; `typos`: one letter in twenty becomes its neighbor on the keyboard; `misspellings`: one in five of the words that are often misspelled; `contractions`: `is not` becomes `isn't`; `dialect`: words of African American English; `gender`: `he` becomes `she`; `names`: first names of another community. The last three test fairness, the others robustness.
     *
     * @minItems 1
     */
    readonly kinds: (
      'lowercase' | 'spaces' | 'typos' | 'misspellings' | 'contractions' | 'dialect' | 'gender' | 'names'
    )[];
    /**
     * The random seed; each record has its own draws.
     */
    readonly seed: number;
  };
  /**
   * A text before the shots and the question, in Jinja; replaces the description of a benchmark's template.
   */
  readonly description?: string;
  /**
   * Puts what the template writes into the chat template of the tokenizer at the port `tokenizer`: the prompt and its header as the user's turn, the response as the assistant's. Use it to ask a chat model a judge's or a benchmark's questions.
   */
  readonly apply_chat_template: boolean;
  /**
   * For chat templates: the system message of conversations without one.
   */
  readonly system?: string;
  /**
   * For chat templates: the roles whose turns a model learns with `train_on: response` of collate.
   *
   * @minItems 1
   */
  readonly train_on_roles: ('assistant' | 'user' | 'system' | 'tool')[];
  /**
   * For chat templates: whether the model learns `all` turns of those roles, only the `last`, or those with these numbers: 1 is the first turn of those roles, -1 the last. Turns with `weight: 0` or `train: false` in the data are never learned.
   */
  readonly train_on_turns: ('all' | 'last') | number[];
  /**
   * For chat templates: whether the reasoning that a template writes in a learned turn, from `reasoning_content`, `thinking`, `reasoning` or `<think>` in its content, is learned with the answer. Otherwise the model reads it, with its tags, and learns the answer after it.
   */
  readonly train_on_reasoning: boolean;
  /**
   * For chat templates: where a row's conversation is. By default the fields of a row show its [layout](../conversations.md#rows).
   */
  readonly conversation: {
    /**
     * The layout of the rows, where their fields fit several, or to refuse others.
     */
    readonly shape?: 'openai' | 'sharegpt' | 'ultrachat' | 'prompt_completion' | 'alpaca' | 'dolly' | 'oasst';
    /**
     * Of OpenAssistant's trees of messages: `best`, one conversation of each tree, with the best-ranked reply each time (the default); or `all`, every branch as a conversation.
     */
    readonly branches?: 'best' | 'all';
    /**
     * The field that holds the list of turns.
     */
    readonly field?: string;
    /**
     * The field of a turn that names the speaker.
     */
    readonly role?: string;
    /**
     * The field of a turn that holds its text.
     */
    readonly content?: string;
    /**
     * A field of a turn that says whether it is learned, besides `weight` (0 or 1) and `train` (true or false).
     */
    readonly train?: string;
    /**
     * The data's names of speakers, each with its role: `user`, `assistant`, `system` or `tool`, or another that the template writes. ShareGPT's `human`, `gpt`, `function_call` and `observation` are known, and OpenAssistant's `prompter`.
     */
    readonly roles: {
      /**
       * A role.
       */
      readonly [k: string]: string;
    };
  };
  /**
   * Names of fields of rows and turns that are meant to be left out, and of what a chat template is meant to leave out: `content`, `reasoning`, `tool_calls`, `tools`. Nothing is reported of them.
   */
  readonly ignore: string[];
  /**
   * Conditions for the records in each part; the run stops if one does not hold.
   */
  readonly expect: {
    /**
     * All that a row says must be in the text: what is otherwise a warning, such as a field that the template does not use, is an error.
     */
    readonly everything_shown: boolean;
  };
}
