import type * as tf from '@tensorflow/tfjs-core';
import type { ConfigFields } from './config-fields.ts';
import type { ModelSizes } from './family.ts';

/** A layer's sliding window: how many tokens a token attends to, itself included; all if undefined. */
type Window = number | undefined;

interface WindowFields {
  readonly layers: number;
  /** The window of the layers that have one. */
  readonly window: Window;
  /** Which layers have the window if there is no `layer_types`. */
  readonly isWindowed: (layer: number) => boolean;
}

/** The windows of a family with windows in some of its layers: `layer_types` says which. */
export function mixedWindows(fields: ConfigFields, options: WindowFields): readonly Window[] {
  const { layers, window, isWindowed } = options;
  const windowed =
    fields.layerTypes(layers)?.map((type) => type === 'sliding_attention') ??
    Array.from({ length: layers }, (_, layer) => isWindowed(layer));
  if (windowed.includes(true) && window === undefined)
    throw fields.problem('layer_types', 'it has `sliding_attention`, but the model has no `sliding_window`');
  return windowed.map((isWindowed) => (isWindowed ? window : undefined));
}

/** The same window, or none, in all layers. `layer_types` may say so too. */
export function uniformWindows(
  fields: ConfigFields,
  { layers, window }: Omit<WindowFields, 'isWindowed'>,
): readonly Window[] {
  fields.everyOf('layer_types', window === undefined ? 'full_attention' : 'sliding_attention');
  return new Array(layers).fill(window);
}

/** Full attention in all layers. */
export const withoutWindows = (fields: ConfigFields, layers: number): readonly Window[] =>
  uniformWindows(fields, { layers, window: undefined });

/** The mask of each layer, made once for layers with the same window. Call it inside tf.tidy. */
export function masksByWindow(
  { windows }: Pick<ModelSizes, 'windows'>,
  maskFor: (window: Window) => tf.Tensor,
): (layer: number) => tf.Tensor {
  const masks = new Map([...new Set(windows)].map((window) => [window, maskFor(window)]));
  return (layer) => {
    const mask = masks.get(windows[layer]);
    if (mask === undefined) throw new RangeError(`The model has no layer ${layer}`);
    return mask;
  };
}
