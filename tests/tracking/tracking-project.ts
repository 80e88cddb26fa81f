import { tuningStages } from '../cli/tuning.ts';

const texts = ['cats purr', 'dogs bark', 'cows moo', 'hens cluck', 'owls hoot', 'bees hum'];

/** Trains for four steps, and as a sweep for two and four. */
export const trackingProject = {
  'package.json': '{}',
  'rows.json': JSON.stringify(texts.map((text, index) => ({ id: `r${index}`, text }))),
  'tune.yaml': `name: tune\nparams: { epochs: 2 }\n${tuningStages(`"\${params.epochs}"`)}`,
  'sweep.yaml': 'name: sweep\nextends: tune.yaml\nsweep: { grid: { epochs: [1, 2] } }\n',
};

/** The losses that `show` reads from a training's history. */
export function lossesIn(history: string): {
  readonly steps: readonly (readonly [number, number])[];
  readonly evaluations: readonly (readonly [number, number])[];
} {
  const { items } = JSON.parse(history).content;
  return {
    steps: items.flatMap((entry: { type: string; step: number; loss: number }) =>
      entry.type === 'step' ? [[entry.step, entry.loss]] : [],
    ),
    evaluations: items.flatMap((entry: { type: string; step: number; train_loss: number }) =>
      entry.type === 'evaluation' ? [[entry.step, entry.train_loss]] : [],
    ),
  };
}
