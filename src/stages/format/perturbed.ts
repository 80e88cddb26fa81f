import type { FormatConfig } from '../../generated/format-config.ts';
import { RandomStream } from '../../model/random-stream.ts';
import { perturbations } from '../../text/perturbation/perturbations.ts';
import type { DataRecord } from '../../text/record.ts';
import { requiredText } from '../../text/template/row-field.ts';
import { rowOf } from './row-of.ts';

type Perturbing = NonNullable<FormatConfig['perturb']>;

/** A record as it is, then once for each perturbation; all of them name their `instance` and their `perturbation`. */
export function perturbed(record: DataRecord, { field, kinds, seed }: Perturbing): readonly DataRecord[] {
  const row = rowOf(record);
  const text = requiredText(row, field);
  const common = { ...row, instance: record.id };
  return [
    { id: record.id, ...common, perturbation: 'none' },
    ...kinds.map((kind) => {
      const random = new RandomStream(['perturbation', seed, kind, record.id]);
      const changed = perturbations[kind](text, () => random.uniform());
      return { id: `${record.id}~${kind}`, ...common, [field]: changed, perturbation: kind };
    }),
  ];
}
