import { UserError } from '../../../../user-error.ts';
import type { LabelPairs } from '../../statistics/confusion.ts';

/** A label and the line that it stands on. */
export interface PlacedLabel {
  readonly place: string;
  readonly label: string;
}

interface Sides {
  readonly gold: ReadonlyMap<string, PlacedLabel>;
  readonly predicted: ReadonlyMap<string, PlacedLabel>;
  /** How the predictions file is called in errors. */
  readonly name: string;
  /** What a label may be; any number where it is empty. */
  readonly classes: readonly string[];
}

/** Gold and predicted labels in the order of the gold ones. Every label has to be known, and every item predicted. */
export function pairLabels({ gold, predicted, name, classes }: Sides): LabelPairs {
  if (gold.size === 0) throw new UserError({ code: 'nothing-to-score', message: 'the data has no items' });
  for (const side of [gold, predicted]) for (const label of side.values()) checkLabel(label, classes);
  const missing = [...gold.keys()].filter((key) => !predicted.has(key));
  if (missing.length > 0)
    throw new UserError({
      code: 'missing-predictions',
      message: `${name}: ${missing.length} of ${gold.size} items have no prediction; the first is ${missing[0]}`,
      help: 'this benchmark is defined over all items: predict each of them',
    });
  for (const [key, { place }] of predicted)
    if (!gold.has(key))
      throw new UserError({ code: 'unknown-item', message: `${place}: the data has no item ${key}` });
  return {
    gold: [...gold.values()].map(({ label }) => label),
    predicted: [...gold.keys()].map((key) => predicted.get(key)?.label ?? ''),
  };
}

/** Labels by their keys; a key that comes twice is an error. */
export function labelsByKey(
  labels: Iterable<readonly [string, PlacedLabel]>,
): ReadonlyMap<string, PlacedLabel> {
  const byKey = new Map<string, PlacedLabel>();
  for (const [key, label] of labels) {
    const first = byKey.get(key);
    if (first !== undefined)
      throw new UserError({
        code: 'repeated-item',
        message: `${label.place}: item ${key} stands at ${first.place} already`,
      });
    byKey.set(key, label);
  }
  return byKey;
}

function checkLabel({ place, label }: PlacedLabel, classes: readonly string[]): void {
  const known =
    classes.length > 0 ? classes.includes(label) : label.trim() !== '' && Number.isFinite(Number(label));
  if (known) return;
  const expected = classes.length > 0 ? classes.join(', ') : 'a number';
  throw new UserError({
    code: 'unknown-label',
    message: `${place}: the label is ${JSON.stringify(label)}; it must be ${classes.length > 1 ? 'one of ' : ''}${expected}`,
  });
}
