/**
 * Whether a pattern matches the name of a parameter or projection: the whole name, or its end after a dot, as `c_attn`
 * matches `transformer.h.0.attn.c_attn`. A `*` matches any characters, including dots.
 */
export function namePattern(pattern: string): (name: string) => boolean {
  const whole = new RegExp(`(^|\\.)${patternText(pattern)}$`);
  return (name) => whole.test(name);
}

/** The same pattern as a regular expression, without what may come before its first dot. */
export const patternText = (pattern: string): string =>
  pattern
    .split('*')
    .map((part) => part.replaceAll(/[^\w]/g, '\\$&'))
    .join('.*');

/** Whether patterns select a name: at least one matches it, and none with a leading `!` does. */
export function nameSelection(patterns: readonly string[]): (name: string) => boolean {
  const included = patterns.filter((pattern) => !pattern.startsWith('!')).map(namePattern);
  const excluded = patterns
    .filter((pattern) => pattern.startsWith('!'))
    .map((pattern) => namePattern(pattern.slice(1)));
  return (name) => included.some((matches) => matches(name)) && !excluded.some((matches) => matches(name));
}
