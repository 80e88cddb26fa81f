import type { CollateConfig } from '../../generated/collate-config.ts';
import type { TokenizedRecord } from '../../text/tokenized-record.ts';
import { UserError } from '../../user-error.ts';

interface LengthLimit {
  /** Tokens, without the end of text. */
  readonly maxLength: number;
  readonly policy: CollateConfig['too_long'];
  readonly warn: (message: string) => void;
}

/** The records that are to become examples; longer ones among them are cut later. */
export function limitLength(
  records: readonly TokenizedRecord[],
  { maxLength, policy, warn }: LengthLimit,
): readonly TokenizedRecord[] {
  const tooLong = records.filter(({ tokens }) => tokens.length > maxLength);
  if (tooLong.length === 0) return records;
  const longest = tooLong.reduce((most, { tokens }) => Math.max(most, tokens.length), 0);
  const found =
    `${tooLong.length} of ${records.length} records are longer than max_length ${maxLength}` +
    ` (the longest has ${longest} tokens)`;
  switch (policy) {
    case 'truncate':
      warn(`${found}; they were cut, so the model does not learn where they end`);
      return records;
    case 'drop':
      warn(`${found}; they were left out`);
      return records.filter(({ tokens }) => tokens.length <= maxLength);
    case 'error':
      throw new UserError({
        code: 'record-too-long',
        message: found,
        help: 'raise `max_length`, or set `too_long: truncate` or `too_long: drop`',
        records: tooLong.map(({ id, tokens }) => ({ id, problem: `it has ${tokens.length} tokens` })),
      });
    default:
      return policy satisfies never;
  }
}
