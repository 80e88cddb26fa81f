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
  return Uint16Array.from(bits, (each, index) =>
    Number.isNaN(values[index]) ? 0x7fc0 : (each + 0x7fff + ((each >>> 16) & 1)) >>> 16,
  );
}

/** float32 to IEEE 754 binary16; rounds to nearest, ties to even; too large values become infinite. */
export const encodeFloat16 = (values: Float32Array): Uint16Array => Uint16Array.from(values, encodeHalf);

function encodeHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  // Below 2^-14 numbers are subnormal and the step is constant. All of this is exact in double precision.
  const exponent = size < 2 ** -14 ? -14 : Math.floor(Math.log2(size));
  const step = 2 ** (exponent - 10);
  const steps = roundToEven(size / step);
  return sign | (size < 2 ** -14 ? steps : ((exponent + 14) << 10) + steps);
}

function roundToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
