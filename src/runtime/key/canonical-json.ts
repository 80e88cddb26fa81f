import { createRequire } from 'node:module';

// The package is CommonJS whose function is module.exports, while its types promise a default export.
const canonicalize: (value: unknown) => string | undefined = createRequire(import.meta.url)('canonicalize');

/** RFC 8785: the one spelling of a JSON value, with sorted names and no white space. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('not a JSON value');
  return text;
}
