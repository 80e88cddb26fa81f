import { UserError } from '../../core/index.ts';
import type { Collation } from './check-examples.ts';

/**
 * The records that become examples. `max_length` counts the tokens that `lengthOf` says, without the end of text; longer
 * records are cut later.
 */
export function limitLength<Item extends { readonly id: string }>(
  records: readonly Item[],
  { config, warn, lengthOf }: Collation & { readonly lengthOf: (record: Item) => number },
): readonly Item[] {
  const { max_length: maxLength, too_long: policy } = config;
  const tooLong = records.filter((record) => lengthOf(record) > maxLength);
  if (tooLong.length === 0) return records;
  const longest = tooLong.reduce((most, record) => Math.max(most, lengthOf(record)), 0);
  const found =
    `${tooLong.length} of ${records.length} records are longer than max_length ${maxLength}` +
    ` (the longest has ${longest} tokens)`;
  switch (policy) {
    case 'truncate':
      warn(`${found}; they were cut, so the model does not learn where they end`, tooLong);
      return records;
    case 'drop':
      warn(`${found}; they were left out`, tooLong);
      return records.filter((record) => lengthOf(record) <= maxLength);
    case 'error':
      throw new UserError({
        code: 'record-too-long',
        message: found,
        help: 'raise `max_length`, or set `too_long: truncate` or `too_long: drop`',
        records: tooLong.map((record) => ({ id: record.id, problem: `it has ${lengthOf(record)} tokens` })),
      });
    default:
      return policy satisfies never;
  }
}
