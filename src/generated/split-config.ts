// Generated from schemas/stages/split.schema.json.

/**
 * Splits records into named parts, and reports records that are in more than one of them.
 */
export interface SplitConfig {
  /**
   * `order` gives each part the next records of the file. `hash` places each record by a hash of its id, so that adding records never moves old ones; the parts' sizes are then only close to their shares. `stratified` gives each part its share of the records of every value of `field`, drawn by the seed.
   */
  readonly by: 'order' | 'hash' | 'stratified';
  /**
   * The parts in order, each with its share of the records; exactly one takes the `rest`.
   *
   * @minItems 1
   *
   * Items: One part: its name and its share.
   */
  readonly parts: {
    /**
     * A share of all records, or of those of a stratum (rounded down), or `rest`.
     */
    readonly [k: string]: number | 'rest';
  }[];
  /**
   * The random seed; another one puts other records into each part. Only with `by: hash` and `by: stratified`.
   */
  readonly seed: number;
  /**
   * A field; records with equal values of it stay in one part. Only with `by: hash`.
   */
  readonly group?: string;
  /**
   * A field such as a category or a label; each part has its values in the same proportions as the whole. Only with `by: stratified`, which needs it.
   */
  readonly field?: string;
  /**
   * Leaves out of later parts what is already in an earlier one (the same instruction and input, in upper or lowercase).
   */
  readonly drop_leaks: boolean;
}
