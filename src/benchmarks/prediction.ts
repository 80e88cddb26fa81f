import type { Json, JsonObject } from '../core/index.ts';
import type { Located } from './located.ts';

/** An answer of another program, as `--predictions` and `as: predictions` read it. */
export interface Prediction {
  /** Absent where answers are in the order of the questions. */
  readonly id?: string;
  readonly text: string;
  /** The right answer, if the program wrote it beside its own. */
  readonly target?: string;
  readonly prompt?: string;
  /** Candidates with their log-likelihoods, as a response has them. */
  readonly choices?: Json;
  /** What else is known of the question. */
  readonly fields: JsonObject;
  readonly at: Located;
}
