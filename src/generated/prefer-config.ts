// Generated from schemas/stages/prefer.schema.json.

/**
 * Makes preference data of two models' answers and what a judge or people say of them.
 */
export interface PreferConfig {
  /**
   * By how much more than this an answer has to be better. The difference is that of the mean ratings; of verdicts and votes each gives the winner 1 and the loser 0, and in a tie both one half. With `0.5` a judge that sees both orders has to choose the same answer twice.
   */
  readonly margin: number;
  /**
   * If `second` is records, such as a data set's own answers, rather than responses: the field with the answer.
   */
  readonly second_field: string;
}
