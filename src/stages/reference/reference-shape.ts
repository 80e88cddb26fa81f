import type { ReferenceConfig } from '../../generated/reference-config.ts';
import type { GenerationShape } from '../../model/index.ts';
import { type Batches, textsOf } from '../../training/index.ts';

/** What decides how much memory the log-probabilities of these answers take. Each item has two texts. */
export function referenceShape({ examples }: Batches, { batch_size }: ReferenceConfig): GenerationShape {
  const slots = examples.flatMap(textsOf).reduce((most, { inputs }) => Math.max(most, inputs.length), 1);
  const rows = 2 * Math.min(batch_size, examples.length || 1);
  return { kind: 'reads', rows, slots, precision: undefined, scored: rows * slots };
}
