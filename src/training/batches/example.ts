/** One training example, already shifted: `targets[i]` is what should follow `inputs[i]`, or -100 where nothing is learned. Unpadded. */
export interface Example {
  readonly id: string;
  readonly inputs: Int32Array;
  readonly targets: Int32Array;
  /** How many leading inputs are the prompt: where a sample of the model's own writing starts. */
  readonly promptLength: number;
}

/** How examples become batches, epoch by epoch. */
export interface BatchRecipe {
  /** Examples in a batch, or rows that examples share. */
  readonly batchSize: number;
  /** Examples share rows of at most so many tokens; each has one of its own where absent. */
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
