import { UserError } from '../core/index.ts';
import type { Tokenizer } from '../text/index.ts';
import {
  type Batches,
  type BatchItem,
  batchesPerEpoch,
  plannedSteps,
  type TargetedText,
  textsOf,
} from './batches/batch-plan.ts';
import { ignoredTarget } from './batches/micro-batch.ts';
import { validationFigures } from './best-metric.ts';
import { checkDropout } from './dropout.ts';
import { checkObjective } from './objective.ts';
import type { TrainingTask } from './training-task.ts';

/** Throws if the batches, the model and the configuration do not fit together, before anything is computed. */
export function checkTask(task: TrainingTask): void {
  checkObjective(task);
  checkPacking(task);
  checkBatches(task, task.batches, 'train');
  for (const [port, set] of validationPorts(task)) checkBatches(task, set, port);
  checkEveryStepLearns(task);
  checkDropout(task);
  checkBestMetric(task);
}

const validationPorts = ({ validation, validationSets }: TrainingTask): readonly [Port, Batches][] => [
  ...(validation === undefined ? [] : [['validation', validation] as [Port, Batches]]),
  ...[...(validationSets ?? [])].map(([name, set]): [Port, Batches] => [`validation.${name}`, set]),
];

/** What early stopping and `keep: best` watch must be measured. */
function checkBestMetric(task: TrainingTask): void {
  const { keep, early_stop, metric_for_best_model: metric } = task.config;
  if (keep !== 'best' && early_stop === undefined) return;
  const measured = [
    ...validationPorts(task).flatMap(([port]) =>
      [...validationFigures(task.config.objective).keys()].map((figure) =>
        port.replace('validation', figure).replace('.', '/'),
      ),
    ),
    ...(task.answers?.metrics.keys() ?? []),
  ];
  if (measured.includes(metric)) return;
  if (measured.length === 0 && metric === 'validation_loss')
    throw new UserError({
      code: 'no-validation',
      message: `${keep === 'best' ? '`keep: best`' : '`early_stop`'} needs a validation loss, and nothing is bound to the port \`validation\``,
      help: 'bind it: from: { model: base, train: collate.train, validation: collate.validation }',
    });
  throw new UserError({
    code: 'not-measured',
    message: `${keep === 'best' ? '`keep: best`' : '`early_stop`'} needs \`${metric}\`, which is not measured`,
    help: `\`metric_for_best_model\` can be ${measured.map((name) => `\`${name}\``).join(', ')}`,
  });
}

function checkPacking(task: TrainingTask): void {
  const { batches, config } = task;
  const sets = [batches, ...validationPorts(task).map(([, set]) => set)];
  const packed = sets.some(({ recipe }) => recipe.packedLength !== undefined);
  if (config.padding_free || !packed) return;
  throw new UserError({
    code: 'packing-needs-padding-free',
    message: 'collate packs several examples into a row, which `padding_free: false` would undo',
    help: 'leave out `padding_free: false`, or `packing: examples` in collate',
  });
}

type Port = 'train' | 'batches' | 'validation' | `validation.${string}`;

/** Throws if the batches at a port do not fit the model that reads them. */
export function checkBatches(
  { tokenizer, model }: Pick<TrainingTask, 'tokenizer' | 'model'>,
  batches: Batches,
  port: Port,
): void {
  if (batches.vocabulary !== tokenizer.vocabulary) throw otherVocabulary(batches, tokenizer, port);
  const { contextLength, vocabularySize } = model.config;
  const dropLast = port === 'train' && batches.recipe.dropLast;
  if (batchesPerEpoch(batches.examples, { ...batches.recipe, dropLast }) === 0) throw noBatch(batches, port);
  const refuse = (fault: ExampleFault) => refuseExamples(batches.examples, port, fault);
  refuse({
    code: 'empty-example',
    what: 'have no token',
    problemOf: ({ inputs }) => (inputs.length === 0 ? 'it has no token' : undefined),
  });
  refuse({
    code: 'example-too-long',
    what: `are longer than the model's context of ${contextLength} tokens`,
    problemOf: ({ inputs }) => (inputs.length > contextLength ? `it has ${inputs.length} tokens` : undefined),
    help: `set \`max_length: ${contextLength}\` or less in collate`,
  });
  refuse({
    code: 'unknown-token',
    what: `have a token id that the model, with its ${vocabularySize} tokens, does not have`,
    problemOf: (text) => {
      const token = highestToken(text);
      return token >= vocabularySize ? `it has the token id ${token}` : undefined;
    },
    help: "the tokenizer has more tokens than the model's `vocab_size`: they belong to different models",
  });
}

const highestToken = ({ inputs, targets }: TargetedText): number =>
  Math.max(highestOf(inputs), highestOf(targets));

const highestOf = (ids: Int32Array) => ids.reduce((highest, id) => Math.max(highest, id), 0);

const otherVocabulary = (batches: Batches, tokenizer: Tokenizer, port: Port) =>
  new UserError({
    code: 'vocabulary-mismatch',
    message: `the batches at \`${port}\` were made with ${vocabularyName(batches)}, but the model reads ${vocabularyName(tokenizer)}`,
    help: "tokenize with the model's own tokenizer: from: { records: split, tokenizer: base.tokenizer }",
  });

/** An encoding is known by its name, a tokenizer.json by the digest of its content. */
function vocabularyName({ vocabulary }: { readonly vocabulary: string }): string {
  const [, digest] = vocabulary.split('sha256:');
  return digest === undefined
    ? `the encoding ${vocabulary}`
    : `a tokenizer.json whose sha256 starts with ${digest.slice(0, 12)}`;
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
    message: `the port \`${port}\` has ${examples.length} examples, too few for a batch of ${recipe.batchSize}`,
    help: 'give it more records, or a smaller `batch_size`, or `drop_last: false` in collate',
  });
}

interface ExampleFault {
  readonly code: string;
  /** Continues "3 of 100 examples ...". */
  readonly what: string;
  readonly problemOf: (text: TargetedText) => string | undefined;
  readonly help?: string;
}

function refuseExamples(
  examples: readonly BatchItem[],
  port: Port,
  { code, what, problemOf, help }: ExampleFault,
): void {
  const records = examples.flatMap((example) => {
    const problem = textsOf(example)
      .map(problemOf)
      .find((one) => one !== undefined);
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

/** A batch without a target has no loss. Find it before training, not hours later at its step. */
function checkEveryStepLearns({ config, batches }: TrainingTask): void {
  if (batches.preference !== undefined) return; // collate leaves out what has nothing to compare
  const idle = new Set<BatchItem>(
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
