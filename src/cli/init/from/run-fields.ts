import { numberIn } from '../../../core/index.ts';
import { modelAddress, type Places } from './data-place.ts';
import type { Translation } from './translation.ts';

/** The address of an adapter that a training continues: its folder, or its repository on the hub. */
export function translateAdapter(
  translation: Translation,
  { field, places }: { readonly field: string; readonly places: Places },
): string | undefined {
  const value = translation.take(field);
  if (value === undefined) return undefined;
  const address = typeof value === 'string' && !value.includes(',') ? modelAddress(value, places) : undefined;
  const isTaken = address !== undefined && translation.set('train.lora', 'continue');
  if (isTaken) {
    translation.note(field, `load.adapter: ${address}`, 'its rank, alpha and targets count');
    return address;
  }
  translation.leave(field, '`adapter` of `load` is one adapter in the layout of PEFT');
  return undefined;
}

/** The share of the records that is for validation, from a field that is a share or a number of rows. */
export function validationShare(translation: Translation, field: string): number | undefined {
  const size = numberIn(translation.take(field)) ?? 0;
  if (size <= 0) return undefined;
  if (size < 1) {
    translation.note(field, `split.parts: validation is ${size} of the records`);
    return size;
  }
  translation.leave(field, 'parts are shares here; 0.1 stands in: change it in `parts` of `split`', size);
  return 0.1;
}

/** Whether none of the fields is on: each is a way of training that would make another model. */
export function isPlainTraining(translation: Translation, methods: readonly string[]): boolean {
  const used = methods.filter((field) => {
    const value = translation.take(field);
    return value !== undefined && value !== false;
  });
  for (const field of used)
    translation.leave(
      field,
      'there is no such training; the stages up to `collate` are written, without `train`',
    );
  return used.length === 0;
}
