/** One training example, already shifted: `targets[i]` is what should follow `inputs[i]`, or -100 where nothing is learnt. Unpadded. */
export interface Example {
  readonly id: string;
  readonly inputs: Int32Array;
  readonly targets: Int32Array;
  /** How many leading inputs are the prompt: where a sample of the model's own writing starts. */
  readonly promptLength: number;
}

/** How examples become padded batches, epoch by epoch. */
export interface BatchRecipe {
  readonly batchSize: number;
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
