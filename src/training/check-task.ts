import { UserError } from '../core/index.ts';
import { ownDropout, statedDropout } from '../model/index.ts';
import type { Tokenizer } from '../text/index.ts';
import type { Batches, Example } from './batches/example.ts';
import { exampleGroups, groupCount } from './batches/example-groups.ts';
import { ignoredTarget } from './batches/micro-batch.ts';
import { dropoutRates } from './training-step.ts';
import type { TrainingTask } from './training-task.ts';

/** Throws where the batches, the model and the configuration do not go together, before anything is computed. */
export function checkTask(task: TrainingTask): void {
  checkPacking(task);
  checkBatches(task, task.batches, 'train');
  if (task.validation) checkBatches(task, task.validation, 'validation');
  checkEveryStepLearns(task);
  checkDropout(task);
  const { keep, early_stop } = task.config;
  if (task.validation === undefined && (keep === 'best' || early_stop !== undefined))
    throw new UserError({
      code: 'no-validation',
      message: `${keep === 'best' ? '`keep: best`' : '`early_stop`'} needs a validation loss, and nothing is bound to the port \`validation\``,
      help: 'bind it: from: { model: base, train: collate.train, validation: collate.validation }',
    });
}

function checkPacking({ batches, validation, config }: TrainingTask): void {
  const packed = [batches, validation].some((given) => given?.recipe.packedLength !== undefined);
  if (config.padding_free || !packed) return;
  throw new UserError({
    code: 'packing-needs-padding-free',
    message: 'collate packs several examples into a row, which `padding_free: false` would take apart again',
    help: 'leave out `padding_free: false`, or `packing: examples` in collate',
  });
}

/** Llama was not made with dropout where tokens are embedded and where a block adds to its input. */
function checkDropout({ config, model }: TrainingTask): void {
  const { family } = model.config;
  const dropout = dropoutRates(config, model.config);
  if (family === 'gpt2' || (dropout.embedding === 0 && dropout.residual === 0)) return;
  throw new UserError({
    code: 'no-such-dropout',
    message: `a model of the family ${family} has no dropout but that of attention`,
    help: 'leave `dropout.embedding` and `dropout.residual` at 0; `dropout.attention` and `lora.dropout` work',
  });
}

type Port = 'train' | 'validation';

function checkBatches({ tokenizer, model }: TrainingTask, batches: Batches, port: Port): void {
  if (batches.vocabulary !== tokenizer.vocabulary) throw otherVocabulary({ batches, tokenizer, port });
  const { contextLength, vocabularySize } = model.config;
  const dropLast = port === 'train' && batches.recipe.dropLast;
  if (groupCount(batches.examples, { ...batches.recipe, dropLast }) === 0) throw noBatch(batches, port);
  const refuse = (fault: ExampleFault) => refuseExamples(batches.examples, { ...fault, port });
  refuse({
    code: 'empty-example',
    what: 'have no token',
    problemOf: ({ inputs }) => (inputs.length === 0 ? 'it has no token' : undefined),
  });
  refuse({
    code: 'example-too-long',
    what: `are longer than the ${contextLength} tokens that the model reads at most`,
    problemOf: ({ inputs }) => (inputs.length > contextLength ? `it has ${inputs.length} tokens` : undefined),
    help: `set \`max_length: ${contextLength}\` or less in collate`,
  });
  refuse({
    code: 'unknown-token',
    what: `hold a token id that the model, with its ${vocabularySize} tokens, does not have`,
    problemOf: (example) => {
      const token = highestToken(example);
      return token >= vocabularySize ? `it has the token id ${token}` : undefined;
    },
    help: "the tokenizer has more tokens than the model's `vocab_size`: they are not of the same model",
  });
}

const highestToken = ({ inputs, targets }: Example): number =>
  Math.max(highestOf(inputs), highestOf(targets));

const highestOf = (ids: Int32Array) => ids.reduce((highest, id) => Math.max(highest, id), 0);

interface OtherVocabulary {
  readonly batches: Batches;
  readonly tokenizer: Tokenizer;
  readonly port: Port;
}

const otherVocabulary = ({ batches, tokenizer, port }: OtherVocabulary) =>
  new UserError({
    code: 'vocabulary-mismatch',
    message: `the batches at \`${port}\` were made with ${vocabularyName(batches)}, but the model reads ${vocabularyName(tokenizer)}`,
    help: "tokenize with the model's own tokenizer: from: { records: split, tokenizer: base.tokenizer }",
  });

/** An encoding has a name, a tokenizer.json the digest of its content. */
function vocabularyName({ vocabulary }: { readonly vocabulary: string }): string {
  const [, digest] = vocabulary.split('sha256:');
  return digest === undefined
    ? `the encoding ${vocabulary}`
    : `a tokenizer.json whose sha256 begins with ${digest.slice(0, 12)}`;
}

function noBatch({ examples, recipe }: Batches, port: Port): UserError {
  if (examples.length === 0)
    return new UserError({
      code: 'no-batch',
      message: `the port \`${port}\` has no examples`,
      help: 'the part that is bound to it is empty: give it a larger share in split, or more records',
    });
  return new UserError({
    code: 'no-batch',
    message: `the port \`${port}\` has ${examples.length} examples, which make no batch of ${recipe.batchSize}`,
    help: 'give it more records, or a smaller `batch_size`, or `drop_last: false` in collate',
  });
}

interface ExampleFault {
  readonly code: string;
  /** Continues "3 of 100 examples ...". */
  readonly what: string;
  readonly problemOf: (example: Example) => string | undefined;
  readonly help?: string;
}

function refuseExamples(
  examples: readonly Example[],
  { code, what, problemOf, help, port }: ExampleFault & { readonly port: Port },
): void {
  const records = examples.flatMap((example) => {
    const problem = problemOf(example);
    return problem === undefined ? [] : [{ id: example.id, problem }];
  });
  if (records.length === 0) return;
  throw new UserError({
    code,
    message: `${records.length} of ${examples.length} examples at the port \`${port}\` ${what}`,
    ...(help === undefined ? {} : { help }),
    records,
    port,
  });
}

/** A batch without a target has no loss. It is found now rather than when its turn comes, hours later. */
function checkEveryStepLearns({ config, batches }: TrainingTask): void {
  const idle = new Set(
    batches.examples.filter(({ targets }) => targets.every((target) => target === ignoredTarget)),
  );
  if (idle.size === 0) return;
  for (const { step, examples } of plannedSteps({ batches, epochs: config.epochs }))
    if (examples.every((example) => idle.has(example)))
      throw new UserError({
        code: 'nothing-to-learn',
        message: `step ${step} has no token to learn in any of its ${examples.length} examples`,
        help: 'the responses were cut off or are masked: raise `max_length` in collate, or drop these records',
        records: examples.map(({ id }) => ({ id })),
        port: 'train',
      });
}

export interface PlannedStep {
  /** 1 is the first step of the training. */
  readonly step: number;
  /** 1 is the first. */
  readonly epoch: number;
  readonly endsEpoch: boolean;
  readonly examples: readonly Example[];
}

interface Plan {
  readonly batches: Batches;
  readonly epochs: number;
  /** How many steps have been taken already. */
  readonly taken?: number;
}

/** The steps that are still to be taken. Which examples a step takes does not depend on how many were taken before. */
export function* plannedSteps({ batches, epochs, taken = 0 }: Plan): Generator<PlannedStep> {
  const { examples, recipe } = batches;
  const stepsAnEpoch = groupCount(examples, recipe);
  for (let epoch = 1 + Math.floor(taken / stepsAnEpoch); epoch <= epochs; epoch++) {
    for (const [index, group] of exampleGroups({ examples, recipe, epoch }).entries()) {
      const step = (epoch - 1) * stepsAnEpoch + index + 1;
      if (step > taken) yield { step, epoch, endsEpoch: index + 1 === stepsAnEpoch, examples: group };
    }
  }
}

export const countSteps = ({ batches, epochs }: Plan): number =>
  epochs * groupCount(batches.examples, batches.recipe);

interface Noted extends Pick<TrainingTask, 'config' | 'onNote'> {
  readonly model: Pick<TrainingTask['model'], 'config'>;
}

/** Tells where a model's config.json asks for dropout and the training has other rates: transformers would have used them. */
export function noteUnusedDropout({ config, model, onNote }: Noted): void {
  const stated = statedDropout(model.config);
  if (config.dropout === 'model' || stated.length === 0) return;
  const { embedding, attention, residual } = dropoutRates(config, model.config);
  const own = ownDropout(model.config);
  if (own.embedding === embedding && own.attention === attention && own.residual === residual) return;
  onNote(
    `the model's config.json has ${stated.join(', ')}, which do not count here: \`dropout: model\` takes them, as transformers does`,
  );
}
