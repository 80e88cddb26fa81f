import { createHash } from 'node:crypto';

/** A place in [0, 1) that follows from a key and a seed alone: the first 48 bits of their sha256, as a fraction. */
export function hashPosition(key: string, seed: number): number {
  return createHash('sha256').update(`${seed}\n${key}`).digest().readUIntBE(0, 6) / 2 ** 48;
}
