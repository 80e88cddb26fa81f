// Generated from schemas/stages/concat.schema.json.

/**
 * Joins the records of several stages, each as often as its weight says.
 */
export interface ConcatConfig {
  /**
   * The sources in order. Each is an input port, to which `from` binds records.
   *
   * @minItems 1
   *
   * Items: One source.
   */
  readonly sources: {
    /**
     * The name of the input port. The source's records have it in their field `dataset`, and their ids begin with it.
     */
    readonly name: string;
    /**
     * How many records to take from the beginning of this source; by default all.
     */
    readonly limit?: number;
    /**
     * How often each record is taken: 2 takes every record twice, 0.5 takes half of them (rounded down, drawn by `seed`), 1.5 every record once and half of them again.
     */
    readonly weight: number;
  }[];
  /**
   * The random seed that draws records of sources with a fractional `weight`.
   */
  readonly seed: number;
}
