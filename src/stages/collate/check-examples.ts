import type { CollateConfig } from '../../generated/collate-config.ts';
import type { Example } from '../../training/batches/example.ts';
import { ignoredTarget } from '../../training/batches/pad-batch.ts';
import { UserError } from '../../user-error.ts';
import { nameRecords } from '../name-records.ts';

interface ExampleCheck {
  readonly config: CollateConfig;
  readonly warn: (message: string) => void;
}

/** Throws where a fact that `expect` states does not hold; warns of examples that teach nothing. */
export function checkExamples(examples: readonly Example[], { config, warn }: ExampleCheck): void {
  const { trained_token_in_every_example: eachTrained, minimum_examples: minimum } = config.expect;
  if (examples.length < minimum) {
    throw new UserError({
      code: 'expectation-failed',
      message: `there are ${examples.length} examples where \`expect\` says at least ${minimum}`,
      help: 'look at the records that reach this stage, and at `too_long: drop`',
    });
  }
  const untrained = examples.filter(({ targets }) => targets.every((target) => target === ignoredTarget));
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
