import { isObject } from '../../core/index.ts';

/** Shorter values, such as a device's number, are not secrets, and hiding them would garble the log. */
const shortestSecret = 6;

/**
 * The texts to hide for values that may be secrets. Output is checked line by line, so each line of a value counts
 * separately. Longer texts come first, since one may begin another.
 */
export const secretsIn = (values: readonly string[]): readonly string[] =>
  [...new Set(values.flatMap((value) => [value, ...value.split(/[\r\n]+/)]))]
    .filter((text) => text.length >= shortestSecret)
    .sort((a, b) => b.length - a.length);

/** The text with `<secret>` wherever it holds one. */
export const hideSecrets = (text: string, secrets: readonly string[]): string =>
  secrets.reduce((left, secret) => left.replaceAll(secret, '<secret>'), text);

/** As hideSecrets for every text in a JSON value, including the names of fields. */
export function hideSecretsIn(value: unknown, secrets: readonly string[]): unknown {
  if (secrets.length === 0) return value;
  if (typeof value === 'string') return hideSecrets(value, secrets);
  if (Array.isArray(value)) return value.map((item) => hideSecretsIn(item, secrets));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [hideSecrets(name, secrets), hideSecretsIn(item, secrets)]),
  );
}
