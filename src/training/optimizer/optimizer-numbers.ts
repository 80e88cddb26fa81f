import { elementCount } from '../../formats/index.ts';
import type { TrainConfig } from '../../generated/train-config.ts';

type Shape = readonly number[];

/** How many numbers an optimizer keeps for parameters of these shapes, and how many more a step makes at most. */
export function optimizerNumbers(
  config: TrainConfig['optimizer'],
  {
    shapes,
    inPlace,
  }: {
    readonly shapes: readonly Shape[];
    /** Whether the backend takes the steps of all optimizers in place; of AdamW all do. */
    readonly inPlace: boolean;
  },
): { readonly state: number; readonly step: number } {
  const keeps = numbersKept(config);
  const state = shapes.reduce((sum, shape) => sum + keeps(shape), 0);
  if (inPlace || config.name === 'adamw') return { state, step: 0 };
  const largest = shapes.reduce((most, shape) => Math.max(most, elementCount(shape)), 0);
  return { state, step: COPIES * Math.min(elementTotal(shapes), Math.max(largest, mostPending)) };
}

/** By shape. */
function numbersKept(config: TrainConfig['optimizer']): (shape: Shape) => number {
  switch (config.name) {
    case 'adamw':
      return (shape) => 2 * elementCount(shape);
    case 'lion':
      return elementCount;
    case 'sgd':
      return config.momentum === 0 ? () => 0 : elementCount;
    case 'adafactor':
      return (shape) => factors(shape) + (config.beta1 === undefined ? 0 : elementCount(shape));
    default:
      return config satisfies never;
  }
}

/** Adafactor's: the means of the rows and of the columns of a matrix. */
const factors = (shape: Shape): number =>
  shape.length < 2
    ? elementCount(shape)
    : elementCount(shape.slice(0, -1)) + elementCount([...shape.slice(0, -2), ...shape.slice(-1)]);

const elementTotal = (shapes: readonly Shape[]): number =>
  shapes.reduce((sum, shape) => sum + elementCount(shape), 0);

/** Parameters, in numbers, that are updated before what is only recorded is computed. */
export const mostPending = 1 << 22;

/** Tensors of a parameter's size that its formula makes before any of them can be freed. */
const COPIES = 5;
