// Generated from schemas/stages/format.schema.json.

/**
 * Writes each row as the text that the model reads: a prompt, a header and a response.
 */
export interface FormatConfig {
  /**
   * A template that comes with retune, by its name, or one of your own in Jinja. The named ones read the fields `instruction`, `input` (which may be empty or absent) and `output`; `completion` reads `text`.
   */
  readonly template:
    | ('alpaca' | 'alpaca-stanford' | 'phi3' | 'phi3-plain' | 'phi3-capitalized' | 'completion')
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
      };
}
