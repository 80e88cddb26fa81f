import { UserError } from '../../core/index.ts';
import { namedTexts, type TokenizedRecords } from '../../text/index.ts';
import { namedTexts as answersOf, type JudgedAnswer, type PreferencePair } from '../../training/index.ts';
import { type Collation, checkAnswers, checkCount } from './check-examples.ts';
import { limitLength } from './limit-length.ts';
import { hasEqualAnswers, isLost, makeJudgedAnswers, makePair } from './make-preferences.ts';

type Paired = Extract<TokenizedRecords, { readonly preference: 'paired' }>;
type Unpaired = Extract<TokenizedRecords, { readonly preference: 'unpaired' }>;

/** Pairs of answers, without those of which `max_length` leaves nothing to compare. */
export function collatePairs(tokens: Paired, collation: Collation): readonly PreferencePair[] {
  const { config, warn } = collation;
  const records = limitLength(tokens.records, {
    ...collation,
    lengthOf: ({ chosen, rejected }) => Math.max(chosen.tokens.length, rejected.tokens.length),
  });
  const all = records.map((record) => makePair(record, lengthsOf(tokens, collation)));
  const pairs = withoutLost(all, ({ chosen, rejected }) => isLost(chosen) || isLost(rejected), collation);
  const equal = pairs.filter(hasEqualAnswers);
  const isCut = ({ chosen }: PreferencePair) => chosen.inputs.length === config.max_length;
  if (equal.length > 0)
    warn(
      `${equal.length} of ${pairs.length} pairs have equal answers${equal.some(isCut) ? ' as far as they are read' : ''}, of which no preference is learned`,
      equal,
    );
  check({ tokens: { ...tokens, records }, items: pairs }, collation);
  return pairs;
}

/** Labeled answers, without those of which `max_length` leaves nothing. */
export function collateLabeled(tokens: Unpaired, collation: Collation): readonly JudgedAnswer[] {
  const { batch_size: batchSize } = collation.config;
  const records = limitLength(tokens.records, {
    ...collation,
    lengthOf: ({ answer }) => answer.tokens.length,
  });
  const all = makeJudgedAnswers(records, { ...lengthsOf(tokens, collation), batchSize });
  const judged = withoutLost(all, ({ answer }) => isLost(answer), collation);
  check({ tokens: { ...tokens, records }, items: judged }, collation);
  return judged;
}

const lengthsOf = ({ endOfText }: TokenizedRecords, { config }: Collation) => ({
  trainOn: config.train_on,
  maxLength: config.max_length,
  endOfText,
});

/** Throws if `expect` asks for a token to learn in every record; warns of those that are left out otherwise. */
function withoutLost<Item extends { readonly id: string }>(
  items: readonly Item[],
  isGone: (item: Item) => boolean,
  { config, warn }: Collation,
): readonly Item[] {
  const lost = items.filter(isGone);
  if (lost.length === 0) return items;
  const found = `${lost.length} of ${items.length} records have an answer without a token to compare`;
  if (config.expect.trained_token_in_every_example)
    throw new UserError({
      code: 'expectation-failed',
      message: found,
      records: lost.map(({ id }) => ({ id })),
      help: `raise \`max_length\` (${config.max_length}), so that their answers are not cut off`,
    });
  warn(`${found}, as it is empty or begins after max_length ${config.max_length}; they were left out`, lost);
  return items.filter((item) => !isGone(item));
}

function check(
  {
    tokens,
    items,
  }: { readonly tokens: TokenizedRecords; readonly items: readonly (PreferencePair | JudgedAnswer)[] },
  collation: Collation,
): void {
  checkCount(items.length, collation.config);
  const examples = items.flatMap(answersOf);
  const ids = new Set(examples.map(({ id }) => id));
  const records = namedTexts(tokens).filter(({ id }) => ids.has(id));
  checkAnswers(records, { ...collation, examples });
}
