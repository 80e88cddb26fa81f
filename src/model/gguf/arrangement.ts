/** How llama.cpp has reordered a parameter's values. */
export type Arrangement =
  | 'same'
  /** [in, out] in Hugging Face's checkpoints, [out, in] here. */
  | 'transposed'
  /** Rotary dimensions that turn together, i and i + D / 2 of a head, stand side by side here. */
  | { readonly pairedHeads: number };

interface ArrangedValues {
  readonly values: Float32Array;
  /** As stored, [rows, columns]. */
  readonly shape: readonly number[];
  readonly arrangement: Arrangement;
}

/** The values in the order of Hugging Face's checkpoints. */
export function restoreOrder({ values, shape, arrangement }: ArrangedValues): Float32Array {
  if (arrangement === 'same') return values;
  const [rows = 0, columns = 0] = shape;
  if (arrangement === 'transposed') return transpose(values, { rows, columns });
  return separatePairs(values, { headWidth: rows / arrangement.pairedHeads, columns });
}

function transpose(values: Float32Array, { rows, columns }: { rows: number; columns: number }): Float32Array {
  const transposed = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      transposed[column * rows + row] = values[row * columns + column] ?? 0;
  return transposed;
}

/** Undoes `reshape(heads, 2, D / 2, columns).swapaxes(1, 2)` of llama.cpp's convert_hf_to_gguf.py. */
function separatePairs(
  values: Float32Array,
  { headWidth, columns }: { headWidth: number; columns: number },
): Float32Array {
  const separated = new Float32Array(values.length);
  for (let row = 0; row * columns < values.length; row++) {
    const place = row % headWidth;
    const half = place % 2 === 0 ? 0 : headWidth / 2;
    const target = row - place + half + (place >> 1);
    separated.set(values.subarray(row * columns, (row + 1) * columns), target * columns);
  }
  return separated;
}
