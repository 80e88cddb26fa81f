import canonicalize from 'canonicalize';

// The package is CommonJS and its function is module.exports, but its types promise `exports.default`.
const serialize = canonicalize as unknown as (value: unknown) => string | undefined;

/** A JSON value in its only spelling by RFC 8785: sorted names and no white space. */
export function canonicalJson(value: unknown): string {
  const text = serialize(value);
  if (text === undefined) throw new TypeError('not a JSON value');
  return text;
}
