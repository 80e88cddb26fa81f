/** bfloat16 is the upper half of a float32. */
export function decodeBfloat16(bits: Uint16Array): Float32Array {
  const widened = new Uint32Array(bits.length);
  for (let index = 0; index < bits.length; index++) widened[index] = (bits[index] ?? 0) << 16;
  return new Float32Array(widened.buffer);
}

/** IEEE 754 binary16 to binary32, exactly. */
export function decodeFloat16(bits: Uint16Array): Float32Array {
  const floats = new Float32Array(bits.length);
  for (let index = 0; index < bits.length; index++) floats[index] = decodeHalf(bits[index] ?? 0);
  return floats;
}

/** The number that 16 bits of binary16 stand for. */
export function decodeHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
