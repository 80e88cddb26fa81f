/** How tensors are stored -> the format's number for it, and how many values one block of how many bytes holds. */
export const tensorFormats = {
  F32: { id: 0, values: 1, bytes: 4 },
  F16: { id: 1, values: 1, bytes: 2 },
  Q4_0: { id: 2, values: 32, bytes: 18 },
  Q4_1: { id: 3, values: 32, bytes: 20 },
  Q5_0: { id: 6, values: 32, bytes: 22 },
  Q5_1: { id: 7, values: 32, bytes: 24 },
  Q8_0: { id: 8, values: 32, bytes: 34 },
  Q4_K: { id: 12, values: 256, bytes: 144 },
  Q5_K: { id: 13, values: 256, bytes: 176 },
  Q6_K: { id: 14, values: 256, bytes: 210 },
  BF16: { id: 30, values: 1, bytes: 2 },
} as const;

export type TensorFormat = keyof typeof tensorFormats;

export const tensorFormatNames = Object.keys(tensorFormats) as readonly TensorFormat[]; // the table's own keys

export const tensorFormatOf = (id: number): TensorFormat | undefined =>
  tensorFormatNames.find((name) => tensorFormats[name].id === id);
