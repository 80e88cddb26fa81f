import { createHash, type Hash } from 'node:crypto';

/** What a file is to be, as far as its host said so beforehand. */
export interface ExpectedContent {
  readonly size: number;
  /** `git`: a blob's name, sha1 of `blob <size>\0` and the bytes. */
  readonly hash: { readonly kind: 'sha256' | 'git'; readonly hex: string } | undefined;
}

/** The hash that the content is held against; fed with its bytes. */
export function hashFor(expected: ExpectedContent | undefined): Hash {
  if (expected?.hash?.kind !== 'git') return createHash('sha256');
  return createHash('sha1').update(`blob ${expected.size}\0`);
}

export const isExpected = (
  expected: ExpectedContent | undefined,
  { size, hex }: { readonly size: number; readonly hex: string },
): boolean =>
  expected === undefined ||
  (expected.size === size && (expected.hash === undefined || expected.hash.hex === hex));
