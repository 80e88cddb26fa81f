import type { JsonObject } from '../../json.ts';

/** A question as text, with its answer. */
export interface Example {
  readonly prompt: string;
  /** What stands between the prompt and the response, such as a space. */
  readonly header: string;
  /** The right answer; empty where there is none to show. */
  readonly response: string;
  /** The answers to choose from. */
  readonly choices?: readonly string[];
}

/** Writes rows as questions that few shots can stand before. */
export interface ExampleTemplate {
  readonly write: (row: JsonObject) => Example;
  /** What stands before the shots and the question. */
  readonly description?: (row: JsonObject) => string;
  /** What stands between two examples; a blank line where absent. */
  readonly separator?: (row: JsonObject) => string;
  /** Shots for a question are rows with the same one of these; any row where absent. */
  readonly group?: (row: JsonObject) => string;
}
