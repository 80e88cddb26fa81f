import type { CollateConfig } from '../../generated/collate-config.ts';
import type { TokenizedRecords } from '../../text/tokenized-record.ts';
import type { BatchRecipe, Example } from '../../training/batches/example.ts';
import { implementStage } from '../implement-stage.ts';
import { checkExamples } from './check-examples.ts';
import { limitLength } from './limit-length.ts';
import { makeExample } from './make-example.ts';
import { packExamples } from './pack-examples.ts';

export const { run } = implementStage<CollateConfig>()({
  inputs: { tokens: 'tokens' },
  outputs: { batches: 'batches' },
  async run({ config, inputs, outputs, part, host }) {
    const tokens = await inputs.tokens.read();
    const warn = (message: string) =>
      host.report({
        type: 'note',
        level: 'warning',
        message: part === undefined ? message : `${part}: ${message}`,
      });
    const examples = examplesOf(tokens, { config, warn });
    checkExamples(examples, { config, warn });
    const { vocabulary, endOfText } = tokens;
    await outputs.batches.write({ examples, recipe: recipeOf(config), vocabulary, endOfText });
  },
});

interface Collation {
  readonly config: CollateConfig;
  readonly warn: (message: string) => void;
}

function examplesOf(
  { records, endOfText }: TokenizedRecords,
  { config, warn }: Collation,
): readonly Example[] {
  const maxLength = config.max_length;
  if (config.packing === true) return packExamples(records, { length: maxLength, endOfText });
  return limitLength(records, { maxLength, policy: config.too_long, warn }).map((record) =>
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
