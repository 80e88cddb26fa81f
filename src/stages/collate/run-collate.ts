import { UserError } from '../../core/index.ts';
import type { CollateConfig } from '../../generated/collate-config.ts';
import { endsItself, type TokenizedRecord, type TokenizedRecords } from '../../text/index.ts';
import type { BatchRecipe, Example } from '../../training/index.ts';
import { implementStage } from '../implement-stage.ts';
import { type Collation, checkAnswers, checkExamples } from './check-examples.ts';
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
    const examples = examplesOf(tokens, { config, warn });
    checkExamples(examples, { config, warn });
    checkAnswers(tokens.records, { examples, config, warn });
    const { vocabulary, endOfText } = tokens;
    const answerEnds = answerEndsOf(tokens);
    await outputs.batches.write({ examples, recipe: recipeOf(config), vocabulary, endOfText, answerEnds });
  },
});

function examplesOf(
  { records, endOfText }: TokenizedRecords,
  { config, warn }: Collation,
): readonly Example[] {
  const maxLength = config.max_length;
  if (config.packing === true) return packExamples(records, { length: maxLength, endOfText });
  return limitLength(records, { config, warn }).map((record) =>
    makeExample(record, { trainOn: config.train_on, endOfText, maxLength }),
  );
}

const recipeOf = (config: CollateConfig): BatchRecipe => ({
  batchSize: config.batch_size,
  shuffle: config.shuffle,
  dropLast: config.drop_last,
  seed: config.seed,
  ...(config.packing === 'examples' ? { packedLength: config.max_length } : {}),
});

/** The marks that the records end their answers with: the first token of each end, or else the end of text. */
function answerEndsOf({ records, endOfText }: TokenizedRecords): readonly number[] {
  const ends = new Set<number>();
  for (const { tokens, segments } of records) {
    if (!endsItself(segments)) ends.add(endOfText);
    for (const [index, { role }] of segments.entries()) {
      const mark = role === 'end' ? tokens[segments[index - 1]?.end ?? 0] : undefined;
      if (mark !== undefined) ends.add(mark);
    }
  }
  return [...ends].sort((a, b) => a - b);
}

/** The records that become examples. `max_length` counts tokens without the end of text; longer records are cut later. */
function limitLength(
  records: readonly TokenizedRecord[],
  { config, warn }: Collation,
): readonly TokenizedRecord[] {
  const { max_length: maxLength, too_long: policy } = config;
  const tooLong = records.filter(({ tokens }) => tokens.length > maxLength);
  if (tooLong.length === 0) return records;
  const longest = tooLong.reduce((most, { tokens }) => Math.max(most, tokens.length), 0);
  const found =
    `${tooLong.length} of ${records.length} records are longer than max_length ${maxLength}` +
    ` (the longest has ${longest} tokens)`;
  switch (policy) {
    case 'truncate':
      warn(`${found}; they were cut, so the model does not learn where they end`, tooLong);
      return records;
    case 'drop':
      warn(`${found}; they were left out`, tooLong);
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
