/** The element types of the safetensors format -> bytes an element. */
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

/** In ascending order of alignment; the reference implementation lays tensors out from the last of these to the first. */
export const tensorTypes = Object.keys(elementBytes) as readonly TensorType[]; // the table's own keys

export const isTensorType = (name: unknown): name is TensorType =>
  typeof name === 'string' && Object.hasOwn(elementBytes, name);

/** Bytes of a dense tensor; Infinity or an unsafe integer where no file could hold it. */
export const tensorBytes = (type: TensorType, shape: readonly number[]): number =>
  elementBytes[type] * elementCount(shape);

export const elementCount = (shape: readonly number[]): number =>
  shape.reduce((count, extent) => count * extent, 1);
