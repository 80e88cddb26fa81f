/**
 * Whether a pattern names a parameter or a projection: by its whole name, or by the end of one after a dot, as `c_attn`
 * names `transformer.h.0.attn.c_attn`. A `*` stands for any characters, dots too.
 */
export function namePattern(pattern: string): (name: string) => boolean {
  const expression = pattern
    .split('*')
    .map((part) => part.replaceAll(/[^\w]/g, '\\$&'))
    .join('.*');
  const whole = new RegExp(`(^|\\.)${expression}$`);
  return (name) => whole.test(name);
}
