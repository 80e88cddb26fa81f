/** One training example, already shifted: `targets[i]` follows `inputs[i]`, or is -100 where nothing is learned. Unpadded. */
export interface Example {
  readonly id: string;
  readonly inputs: Int32Array;
  readonly targets: Int32Array;
  /** How many leading inputs are the prompt; a sample of the model's own text starts after them. */
  readonly promptLength: number;
}

/** How examples become batches, epoch by epoch. */
export interface BatchRecipe {
  /** Examples in a batch, or rows that examples share. */
  readonly batchSize: number;
  /** The most tokens in a row that examples share; if absent, each example has its own row. */
  readonly packedLength?: number;
  readonly shuffle: boolean;
  readonly dropLast: boolean;
  readonly seed: number;
}

/** The content of a `batches` port. */
export interface Batches {
  readonly examples: readonly Example[];
  readonly recipe: BatchRecipe;
  readonly vocabulary: string;
  /** Also the padding id. */
  readonly endOfText: number;
}
