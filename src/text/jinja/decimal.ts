/** Exact decimal forms of floats, rounded half to even as C and Python round them. JavaScript rounds ties up. */

const view = new DataView(new ArrayBuffer(8));

/** A finite float as `numerator / denominator`. */
export function fractionOf(value: number): readonly [numerator: bigint, denominator: bigint] {
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const field = Number((bits >> 52n) & 0x7ffn);
  const significand = (bits & 0xfffffffffffffn) | (field === 0 ? 0n : 1n << 52n);
  const signed = bits >> 63n === 0n ? significand : -significand;
  const exponent = BigInt(Math.max(field, 1) - 1075);
  return exponent < 0n ? [signed, 1n << -exponent] : [signed << exponent, 1n];
}

/** `value * 10 ** digits` as the nearest whole number. */
export function scaled(value: number, digits: number): bigint {
  const [numerator, denominator] = fractionOf(value);
  return digits < 0
    ? nearest(numerator, denominator * 10n ** BigInt(-digits))
    : nearest(numerator * 10n ** BigInt(digits), denominator);
}

/** The whole number nearest to a fraction with a positive denominator, the even one of two. */
export function nearest(numerator: bigint, denominator: bigint): bigint {
  const negative = numerator < 0n;
  const size = negative ? -numerator : numerator;
  const whole = size / denominator;
  const twice = 2n * (size % denominator);
  const up = twice > denominator || (twice === denominator && whole % 2n === 1n);
  const rounded = up ? whole + 1n : whole;
  return negative ? -rounded : rounded;
}

/** The size of a finite float with `digits` digits after the point: `12.50`. */
export function fixed(value: number, digits: number): string {
  const text = String(scaled(Math.abs(value), digits)).padStart(digits + 1, '0');
  return digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

/** The size of a finite float as `digits + 1` significant digits and a power of ten. */
export function exponential(
  value: number,
  digits: number,
): { readonly digits: string; readonly exponent: number } {
  if (value === 0) return { digits: '0'.repeat(digits + 1), exponent: 0 };
  const size = Math.abs(value);
  let exponent = Number(size.toExponential().split('e')[1]);
  let text = String(scaled(size, digits - exponent));
  if (text.length > digits + 1) {
    exponent++;
    text = String(scaled(size, digits - exponent));
  }
  return { digits: text, exponent };
}
