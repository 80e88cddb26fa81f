import { nameRecords, UserError } from '../../core/index.ts';
import type { CollateConfig } from '../../generated/collate-config.ts';
import { endsItself, type TokenizedRecord } from '../../text/index.ts';
import { type Example, ignoredTarget } from '../../training/index.ts';

export interface Collation {
  readonly config: CollateConfig;
  /** Warns of something that is true of some records. */
  readonly warn: (message: string, records?: readonly { readonly id: string }[]) => void;
}

const learnsSomething = ({ targets }: Example): boolean => targets.some((target) => target !== ignoredTarget);

/** Throws if a fact that `expect` states does not hold; warns of examples without a token to learn. */
export function checkExamples(examples: readonly Example[], { config, warn }: Collation): void {
  const { trained_token_in_every_example: eachTrained } = config.expect;
  checkCount(examples.length, config);
  const untrained = examples.filter((example) => !learnsSomething(example));
  if (untrained.length === 0) return;
  const found = `${untrained.length} of ${examples.length} examples have no token to learn`;
  if (eachTrained) {
    throw new UserError({
      code: 'expectation-failed',
      message: found,
      records: untrained.map(({ id }) => ({ id })),
      help: `raise \`max_length\` (${config.max_length}), so that their responses are not cut off`,
    });
  }
  warn(`${found}: ${nameRecords(untrained)}`);
}

/** Throws if there are fewer examples than `expect` asks for. */
export function checkCount(count: number, { expect }: CollateConfig): void {
  const { minimum_examples: minimum } = expect;
  if (count >= minimum) return;
  throw new UserError({
    code: 'expectation-failed',
    message: `there are ${count} examples where \`expect\` asks for at least ${minimum}`,
    help: 'check the records that reach this stage, and `too_long: drop`',
  });
}

/** Refuses answers that `max_length` cuts, if configured; warns of those of which the model learns nothing. */
export function checkAnswers(
  records: readonly TokenizedRecord[],
  { examples, config, warn }: Collation & { readonly examples: readonly Example[] },
): void {
  const { max_length: maxLength, packing, too_long: policy, expect } = config;
  if (packing === true || policy !== 'truncate') return;
  const cut = records.filter((record) => cutsAnswer(record, maxLength));
  if (expect.every_answer_whole && cut.length > 0)
    throw new UserError({
      code: 'expectation-failed',
      message: `${cut.length} of ${records.length} records have an answer that max_length ${maxLength} cuts`,
      records: cut.map(({ id, tokens }) => ({ id, problem: `it has ${tokens.length} tokens` })),
      help: 'raise `max_length`, or set `too_long: drop`',
    });
  // Examples that learn nothing at all have been reported.
  const learned = new Set(examples.filter(learnsSomething).map(({ id }) => id));
  const lost = cut.filter((record) => learned.has(record.id) && lostAnswers(record, maxLength) > 0);
  if (lost.length === 0) return;
  const count = lost.reduce((sum, record) => sum + lostAnswers(record, maxLength), 0);
  warn(
    `${lost.length} of ${records.length} records have answers that begin after max_length ${maxLength} (${count} in all), so the model learns nothing of them`,
    lost,
  );
}

/** The target at the last position is the token after it, so one more token than `maxLength` is learned. */
const cutsAnswer = ({ tokens, segments }: TokenizedRecord, maxLength: number): boolean =>
  endsItself(segments)
    ? segments.some(({ role, end }) => (role === 'response' || role === 'end') && end > maxLength + 1)
    : tokens.length > maxLength;

/** How many answers begin only after the last token that is learned. */
const lostAnswers = ({ segments }: TokenizedRecord, maxLength: number): number =>
  segments.filter(({ role }, index) => role === 'response' && (segments[index - 1]?.end ?? 0) > maxLength)
    .length;
