import { lengthBucket } from './length-bucket.ts';

/**
 * The padded length for a prompt of so many tokens, at most `limit`. Each length is a graph to compile, which takes as
 * long as reading some 300 tokens: short prompts, of which there are many, get finer steps.
 */
export const promptLength = (tokens: number, limit: number): number =>
  lengthBucket(tokens, { step: tokens <= 64 ? 8 : tokens <= 128 ? 16 : 32, limit });

/** Room for a text of so many tokens, at most `limit`. */
export const slotCount = (tokens: number, limit: number): number => lengthBucket(tokens, { step: 64, limit });
