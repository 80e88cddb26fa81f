// Generated from schemas/stages/split.schema.json.

/**
 * Deals records into named parts, and reports records that stand in more than one of them.
 */
export interface SplitConfig {
  /**
   * `order` gives each part the next records of the file. `hash` places each record by a hash of its id, so that adding records never moves old ones; the parts' sizes are then near their shares rather than exact. `stratified` gives each part its share of the records of every value of `field`, drawn by the seed.
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
   * Another seed deals other records into each part. Only with `by: hash` and `by: stratified`.
   */
  readonly seed: number;
  /**
   * A field whose equal values are to stay in one part. Only with `by: hash`.
   */
  readonly group?: string;
  /**
   * The field whose values every part is to have in the shares that the whole has them: a category, a label. Only with `by: stratified`, which needs it.
   */
  readonly field?: string;
  /**
   * Leave out of later parts what already stands in an earlier one (the same instruction and input, whatever their case).
   */
  readonly drop_leaks: boolean;
}
