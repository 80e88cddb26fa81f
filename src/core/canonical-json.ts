import canonicalize from 'canonicalize';

// The package is CommonJS and its function is module.exports, while its types promise `exports.default`.
const serialize = canonicalize as unknown as (value: unknown) => string | undefined;

/** RFC 8785: the one spelling of a JSON value, with sorted names and no white space. */
export function canonicalJson(value: unknown): string {
  const text = serialize(value);
  if (text === undefined) throw new TypeError('not a JSON value');
  return text;
}
