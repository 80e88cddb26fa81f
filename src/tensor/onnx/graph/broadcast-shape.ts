import type { GraphValue } from './graph-value.ts';

/** The shape that values broadcast to. */
export function broadcastShape(values: readonly GraphValue[]): readonly number[] {
  let shape: readonly number[] = values[0]?.shape ?? [];
  for (let i = 1; i < values.length; i++) shape = broadcastPair(shape, values[i]?.shape ?? []);
  return shape;
}

function broadcastPair(a: readonly number[], b: readonly number[]): readonly number[] {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  const offset = long.length - short.length;
  return long.map((size, i) => {
    const other = i < offset ? 1 : (short[i - offset] ?? 1);
    if (size !== other && size !== 1 && other !== 1)
      throw new Error(`Tensors of the shapes [${a}] and [${b}] do not broadcast.`);
    return size === 1 ? other : size;
  });
}
