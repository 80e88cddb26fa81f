import type { ElementType, HostArray } from '../graph/element-type.ts';

/** An array of so many bytes for something that writes all of it: it holds whatever was there before. */
export function uninitializedArray(type: ElementType, bytes: number): HostArray {
  const { buffer } = Buffer.allocUnsafeSlow(bytes); // a buffer of its own, which begins at its first byte
  switch (type) {
    case 'float32':
      return new Float32Array(buffer);
    case 'int32':
      return new Int32Array(buffer);
    case 'bool':
    case 'uint8':
      return new Uint8Array(buffer);
    case 'int64':
      return new BigInt64Array(buffer);
    case 'double':
      return new Float64Array(buffer);
    default:
      return type satisfies never;
  }
}
