/** Element types of values inside a graph; uint8 and int64 are for weights and indices only and never leave it. */
export type ElementType = 'float32' | 'int32' | 'bool' | 'uint8' | 'int64' | 'double';

/** What a tensor of each element type is held in. */
export type HostArray = Float32Array | Int32Array | Uint8Array | BigInt64Array | Float64Array;

/** Numbers of TensorProto.DataType in onnx.proto. */
export const ONNX_TYPE: Readonly<Record<ElementType, number>> = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  double: 11,
};

export const ELEMENT_BYTES: Readonly<Record<ElementType, number>> = {
  float32: 4,
  int32: 4,
  int64: 8,
  bool: 1,
  uint8: 1,
  double: 8,
};

/** The array for `count` elements, filled with `value`. */
export function hostArray(type: ElementType, count: number, value = 0): HostArray {
  switch (type) {
    case 'float32':
      return new Float32Array(count).fill(value);
    case 'int32':
      return new Int32Array(count).fill(value);
    case 'bool':
    case 'uint8':
      return new Uint8Array(count).fill(value);
    case 'int64':
      return new BigInt64Array(count).fill(BigInt(value));
    case 'double':
      return new Float64Array(count).fill(value);
    default:
      return type satisfies never;
  }
}
