import { UserError } from '../../core/index.ts';
import type { CollateConfig } from '../../generated/collate-config.ts';
import { endsItself, namedTexts, type TokenizedRecord, type TokenizedRecords } from '../../text/index.ts';
import type { Batches, BatchRecipe, Example } from '../../training/index.ts';
import { implementStage } from '../implement-stage.ts';
import { type Collation, checkAnswers, checkExamples } from './check-examples.ts';
import { collateLabeled, collatePairs } from './collate-preferences.ts';
import { limitLength } from './limit-length.ts';
import { makeExample, packExamples } from './make-example.ts';

export const { run } = implementStage<CollateConfig>()({
  inputs: { tokens: 'tokens' },
  outputs: { batches: 'batches' },
  async run({ config, inputs, outputs, part, host }) {
    const tokens = await inputs.tokens.read();
    const warn = (text: string, records: readonly { readonly id: string }[] = []) => {
      const message = part === undefined ? text : `${part}: ${text}`;
      const named = records.length > 0 && { records: records.slice(0, 3).map(({ id }) => ({ id })) };
      host.report({ type: 'note', level: 'warning', message, ...named });
    };
    const { vocabulary, endOfText } = tokens;
    const set = { recipe: recipeOf(config), vocabulary, endOfText, answerEnds: answerEndsOf(tokens) };
    await outputs.batches.write(batchesOf(tokens, { set, config, warn }));
  },
});

function batchesOf(
  tokens: TokenizedRecords,
  { set, ...collation }: Collation & { readonly set: Omit<Batches, 'examples' | 'preference'> },
): Batches {
  const { preference } = tokens;
  if (preference !== undefined && collation.config.packing !== false) throw noPacking(collation.config);
  switch (preference) {
    case 'paired':
      return { ...set, preference, examples: collatePairs(tokens, collation) };
    case 'unpaired':
      return { ...set, preference, examples: collateLabeled(tokens, collation) };
    default:
      return { ...set, examples: collateExamples(tokens, collation) };
  }
}

function collateExamples(
  { records, endOfText }: Extract<TokenizedRecords, { readonly preference?: undefined }>,
  collation: Collation,
): readonly Example[] {
  const { max_length: maxLength, train_on: trainOn, packing } = collation.config;
  const lengthOf = ({ tokens }: TokenizedRecord) => tokens.length;
  const examples =
    packing === true
      ? packExamples(records, { length: maxLength, endOfText })
      : limitLength(records, { ...collation, lengthOf }).map((record) =>
          makeExample(record, { trainOn, endOfText, maxLength }),
        );
  checkExamples(examples, collation);
  checkAnswers(records, { ...collation, examples });
  return examples;
}

const noPacking = ({ packing }: CollateConfig): UserError =>
  new UserError({
    code: 'packing-needs-examples',
    message: `the records are preferences, whose answers share no row, so \`packing: ${packing}\` is not possible`,
    help: 'leave `packing` out: the texts of a batch are computed without padding anyway',
  });

const recipeOf = (config: CollateConfig): BatchRecipe => ({
  batchSize: config.batch_size,
  shuffle: config.shuffle,
  dropLast: config.drop_last,
  seed: config.seed,
  ...(config.packing === 'examples' ? { packedLength: config.max_length } : {}),
});

/**
 * The tokens that end the records' answers: the first of each end, or else the end of text. A text that ends answers is
 * not among them unless it is a single token.
 */
function answerEndsOf(given: TokenizedRecords): readonly number[] {
  const { endOfText } = given;
  const ends = new Set<number>();
  for (const { tokens, segments } of namedTexts(given)) {
    if (!endsItself(segments)) ends.add(endOfText);
    for (const [index, { role, end }] of segments.entries()) {
      const start = segments[index - 1]?.end ?? 0;
      const mark = tokens[start];
      const isMark = role === 'end' || (role === 'end_text' && end === start + 1);
      if (isMark && mark !== undefined) ends.add(mark);
    }
  }
  return [...ends].sort((a, b) => a - b);
}
