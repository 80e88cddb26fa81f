/** The element types of the safetensors format -> bytes per element. */
const elementBytes = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  F64: 8,
  I64: 8,
  U64: 8,
} as const;

export type TensorType = keyof typeof elementBytes;

/** In ascending order of alignment; the reference implementation writes tensors from the last of these to the first. */
export const tensorTypes = Object.keys(elementBytes) as readonly TensorType[]; // the table's own keys

export const isTensorType = (name: unknown): name is TensorType =>
  typeof name === 'string' && Object.hasOwn(elementBytes, name);

/** Bytes of a dense tensor; infinite or an unsafe integer if no file could hold it. */
export const tensorBytes = (type: TensorType, shape: readonly number[]): number =>
  elementBytes[type] * elementCount(shape);

export const elementCount = (shape: readonly number[]): number =>
  shape.reduce((count, extent) => count * extent, 1);

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

/** Decodes one binary16. */
export function decodeHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** float32 to bfloat16, its upper half; rounds to nearest, ties to even, as PyTorch does. */
export function encodeBfloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let index = 0; index < values.length; index++) {
    const each = bits[index] ?? 0;
    const isNotANumber = (each & 0x7fffffff) > 0x7f800000;
    halves[index] = isNotANumber ? 0x7fc0 : (each + 0x7fff + ((each >>> 16) & 1)) >>> 16;
  }
  return halves;
}

/** float32 to IEEE 754 binary16; rounds to nearest, ties to even; too large values become infinite. */
export function encodeFloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let index = 0; index < values.length; index++)
    halves[index] = encodeHalf(bits[index] ?? 0, values[index] ?? 0);
  return halves;
}

/** From here on, rounding gives infinity: 65520. */
const overflow = 0x477ff000;
/** The least normal binary16: 2^-14. */
const leastNormal = 0x38800000;

function encodeHalf(bits: number, value: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const size = bits & 0x7fffffff;
  if (size > 0x7f800000) return 0x7e00;
  if (size >= overflow) return sign | 0x7c00;
  // Adding 2^52 to a double rounds it to a whole number, ties to even.
  if (size < leastNormal) return sign | (Math.abs(value) * 2 ** 24 + 2 ** 52 - 2 ** 52);
  // The exponent's bias differs by 112; what is cut off is rounded.
  return sign | ((size - (112 << 23) + 0xfff + ((size >>> 13) & 1)) >>> 13);
}
