declare const cacheKeyBrand: unique symbol;

/** Identity of one execution of a stage: the SHA-256 of its key material, 64 hexadecimal digits. */
export type CacheKey = string & { readonly [cacheKeyBrand]: true };

/** The key that a text spells, or undefined where it spells none. */
export function parseCacheKey(text: unknown): CacheKey | undefined {
  // The pattern has just been checked: this is where keys are made.
  return typeof text === 'string' && /^[0-9a-f]{64}$/.test(text) ? (text as CacheKey) : undefined;
}
