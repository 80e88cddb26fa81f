import type { ParameterSpec } from './family.ts';

/** A parameter by its name in checkpoints. */
export type NamedSpec = readonly [name: string, spec: ParameterSpec];

/** A matrix that starts normal with mean 0. */
export const matrix = (name: string, shape: readonly number[], deviation = 0.02): NamedSpec => [
  name,
  { shape, initial: { deviation } },
];

/** A vector that starts with one value everywhere. */
export const vector = (name: string, size: number, value: number): NamedSpec => [
  name,
  { shape: [size], initial: { constant: value } },
];

/** The weight of a linear layer, [out, in], and its bias, if it has one. */
export const projection = (
  name: string,
  { shape, bias }: { readonly shape: readonly [outputs: number, inputs: number]; readonly bias: boolean },
): readonly NamedSpec[] => [
  matrix(`${name}.weight`, shape),
  ...(bias ? [vector(`${name}.bias`, shape[0], 0)] : []),
];

/** The weight and the bias of a layer norm. */
export const layerNormSpecs = (name: string, size: number): readonly NamedSpec[] => [
  vector(`${name}.weight`, size, 1),
  vector(`${name}.bias`, size, 0),
];

/** What `specs` returns for each block, named `<prefix>.0` and so on. */
export const eachBlock = (
  prefix: string,
  layers: number,
  specs: (block: string) => readonly NamedSpec[],
): readonly NamedSpec[] => Array.from({ length: layers }, (_, layer) => `${prefix}.${layer}`).flatMap(specs);
