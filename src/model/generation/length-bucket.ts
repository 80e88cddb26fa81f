/**
 * The padded length for a text of that many tokens: a multiple of `step`, at most `limit`. Few lengths mean few compiled
 * graphs; a function of the text alone, so that a result cannot depend on what else is in the batch.
 */
export const lengthBucket = (length: number, { step, limit }: { step: number; limit: number }): number =>
  Math.min(Math.ceil(length / step) * step, limit);
