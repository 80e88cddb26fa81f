import type { ParameterSpec } from './family.ts';

/** A parameter by its name in checkpoints. */
export type NamedSpec = readonly [name: string, spec: ParameterSpec];

/** A matrix that starts normal with mean 0 and deviation 0.02. */
export const matrix = (name: string, shape: readonly number[]): NamedSpec => [
  name,
  { shape, initial: { deviation: 0.02 } },
];

/** A vector that starts at 1. */
export const ones = (name: string, size: number): NamedSpec => [
  name,
  { shape: [size], initial: { constant: 1 } },
];

/** A vector that starts at 0. */
export const zeros = (name: string, size: number): NamedSpec => [
  name,
  { shape: [size], initial: { constant: 0 } },
];

/** The weight of a linear layer, [out, in], and its bias, if it has one. */
export const projection = (
  name: string,
  { shape, bias }: { readonly shape: readonly [outputs: number, inputs: number]; readonly bias: boolean },
): readonly NamedSpec[] => [
  matrix(`${name}.weight`, shape),
  ...(bias ? [zeros(`${name}.bias`, shape[0])] : []),
];

/** The weight and the bias of a layer norm. */
export const layerNormSpecs = (name: string, size: number): readonly NamedSpec[] => [
  ones(`${name}.weight`, size),
  zeros(`${name}.bias`, size),
];

/** What `specs` returns for each block, named `<prefix>.0` and so on. */
export const eachBlock = (
  prefix: string,
  layers: number,
  specs: (block: string, layer: number) => readonly NamedSpec[],
): readonly NamedSpec[] =>
  Array.from({ length: layers }, (_, layer) => specs(`${prefix}.${layer}`, layer)).flat();
