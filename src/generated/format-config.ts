// Generated from schemas/stages/format.schema.json.

/**
 * Writes each row as the text that the model reads: a prompt, a header and a response, or the turns of a conversation.
 */
export interface FormatConfig {
  /**
   * A template that comes with tuneloom, by its name, or one of your own in Jinja. `chat` is the chat template of the tokenizer at the port `tokenizer`, for conversations and instructions. The others that have names read the fields `instruction`, `input` (which may be empty or absent) and `output`; `completion` reads `text`, and those of [benchmarks](../benchmarks.md) what `as:` of load reads.
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
      )
    | {
        /**
         * What the model is given. `{{ field }}` stands for a field of the row; a field that may be absent is asked for with `{% if field %}`.
         */
        readonly prompt: string;
        /**
         * What stands between prompt and response.
         */
        readonly header: string;
        /**
         * What the model should answer; empty for prompts that have no known answer.
         */
        readonly response: string;
        /**
         * The responses to choose from, for `mode: choices` of generate; each is a template, or one text names the field that holds the list.
         */
        readonly choices?: string | string[];
      }
    | {
        /**
         * A chat template instead of the tokenizer's own: `chatml`, `llama3`, `mistral`, `phi3`, or a source in Jinja that is given `messages` and `add_generation_prompt`, as transformers has it.
         */
        readonly chat: string;
      };
  /**
   * Solved examples that stand before each question. They are the records at the port `shots`, or else the other records; for templates of benchmarks those of the same subject or task.
   */
  readonly shots?: {
    /**
     * How many; fewer where there are no more.
     */
    readonly count: number;
    /**
     * `first`: the first ones, the same for all questions of a subject. `random`: drawn for each question.
     */
    readonly pick: 'first' | 'random';
    /**
     * Decides the draws, for each question on its own.
     */
    readonly seed: number;
    /**
     * Shots have the same value in this field as the question.
     */
    readonly by?: string;
    /**
     * What stands between two examples; by default a blank line, or what the benchmark has.
     */
    readonly separator?: string;
    /**
     * So many tokens at most, of the tokenizer at the port `tokenizer`, with the longest response or choice: the last shots are left out until they fit.
     */
    readonly fit_tokens?: number;
  };
  /**
   * Also asks each question in changed words, as HELM measures robustness and fairness: a record for the question as it is and one for each kind. Their field `instance` says to which question they belong, `perturbation` how they were changed (`none`).
   */
  readonly perturb?: {
    /**
     * The field of the row that is changed.
     */
    readonly field: string;
    /**
     * `lowercase`; `spaces`: one to three for each; `typos`: one letter in twenty becomes its neighbour on the keyboard; `misspellings`: one in five of the words that are often misspelt; `contractions`: `is not` becomes `isn't`; `dialect`: words of African American English; `gender`: `he` becomes `she`; `names`: first names of another community. The last three are of fairness, the others of robustness.
     *
     * @minItems 1
     */
    readonly kinds: (
      'lowercase' | 'spaces' | 'typos' | 'misspellings' | 'contractions' | 'dialect' | 'gender' | 'names'
    )[];
    /**
     * Decides what is drawn, for each record on its own.
     */
    readonly seed: number;
  };
  /**
   * A text before the shots and the question, in Jinja; instead of the one that a template of a benchmark has.
   */
  readonly description?: string;
  /**
   * Puts what the template writes into the chat template of the tokenizer at the port `tokenizer`: the prompt and its header as the user's turn, the response as the assistant's. For asking a chat model what was written for any model, as a judge's questions or a benchmark's are.
   */
  readonly apply_chat_template: boolean;
  /**
   * For chat templates: the system message of conversations that have none of their own.
   */
  readonly system?: string;
  /**
   * For chat templates: whose turns are the responses that a model learns with `train_on: response` of collate.
   *
   * @minItems 1
   */
  readonly train_on_roles: ('assistant' | 'user' | 'system' | 'tool')[];
  /**
   * For chat templates: whether `all` turns of those roles are learned, or only the `last` of them.
   */
  readonly train_on_turns: 'all' | 'last';
  /**
   * For chat templates: where a row has its conversation. By default that is `messages` with `role` and `content`, or ShareGPT's `conversations` with `from` and `value`.
   */
  readonly conversation: {
    /**
     * The field that holds the list of turns.
     */
    readonly field?: string;
    /**
     * The field of a turn that says who speaks.
     */
    readonly role?: string;
    /**
     * The field of a turn that holds what is said.
     */
    readonly content?: string;
    /**
     * Names of speakers in the data, each with its role: `user`, `assistant`, `system` or `tool`. ShareGPT's `human` and `gpt` are known.
     */
    readonly roles: {
      /**
       * A role.
       */
      readonly [k: string]: 'user' | 'assistant' | 'system' | 'developer' | 'tool';
    };
  };
}
