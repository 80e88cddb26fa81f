import { UserError } from '../core/index.ts';
import type { TrainingBatch } from './batch-parts.ts';
import type { Batches, BatchItem } from './batches/batch-plan.ts';
import { splitBatch } from './batches/micro-batch.ts';
import { judgedBatch, pairBatch } from './preference/preference-batch.ts';
import { lacksReference, withReference } from './preference/reference.ts';
import { batchLayout, type TrainingTask } from './training-task.ts';

/** Turns the items of a batch into what the task's objective computes. */
export type BatchMaker = (items: readonly BatchItem[]) => TrainingBatch;

export function batchMaker(task: TrainingTask): BatchMaker {
  const { objective, preference } = task.config;
  const layout = batchLayout(task);
  switch (objective) {
    case 'sft':
      return (items) =>
        splitBatch(
          items.filter((item) => 'inputs' in item),
          layout,
        );
    case 'kto':
      return (items) =>
        judgedBatch(
          items.filter((item) => 'desirable' in item),
          { preference, layout },
        );
    default:
      return (items) =>
        pairBatch(
          items.filter((item) => 'chosen' in item),
          { objective, preference, layout },
        );
  }
}

type Objective = TrainingTask['config']['objective'];

const kindOf = (objective: Objective): Batches['preference'] => {
  if (objective === 'sft') return undefined;
  return objective === 'kto' ? 'unpaired' : 'paired';
};

const described = (kind: Batches['preference']): string => {
  if (kind === undefined) return 'examples to learn';
  return kind === 'paired' ? 'pairs of answers' : 'labeled answers';
};

/** Throws if the batches hold what the objective cannot train on: a pair must never be taken for an example. */
export function checkObjective({
  config: { objective },
  batches,
  validation,
  validationSets,
}: Pick<TrainingTask, 'config' | 'batches' | 'validation' | 'validationSets'>): void {
  const kind = kindOf(objective);
  const named = [...(validationSets ?? [])].map(([name, set]) => [`validation.${name}`, set] as const);
  for (const [port, given] of [['train', batches] as const, ['validation', validation] as const, ...named])
    if (given !== undefined && given.preference !== kind) throw otherKind({ objective, given, port });
}

function otherKind({
  objective,
  given,
  port,
}: {
  readonly objective: Objective;
  readonly given: Batches;
  readonly port: string;
}): UserError {
  const kind = kindOf(objective);
  const fitting = { paired: 'dpo`, `ipo`, `simpo` or `orpo', unpaired: 'kto' };
  const change =
    given.preference === undefined
      ? 'leave `objective` out'
      : `set \`objective\` to \`${fitting[given.preference]}\``;
  const format =
    kind === undefined ? 'leave `preference` out of format' : `set \`preference: ${kind}\` in format`;
  return new UserError({
    code: 'other-kind-of-batches',
    message: `\`objective: ${objective}\` trains on ${described(kind)}, and the port \`${port}\` has ${described(given.preference)}`,
    help: `${change}, or ${format}`,
  });
}

/**
 * The task with the reference's log-probabilities where its objective needs them: those of the batches if they have
 * them, else those of the model as it is now, before training, whose new adapters change nothing yet.
 */
export async function withReferences(task: TrainingTask): Promise<TrainingTask> {
  const { config, batches, validation, validationSets, model, signal, onProgress } = task;
  const evaluated = (set: Batches) => firstBatches(set, config.evaluate.batches);
  const sets = [batches, ...[validation ?? [], ...(validationSets?.values() ?? [])].flat().map(evaluated)];
  const total = sets.reduce((sum, set) => sum + (lacksReference(config, set) ? set.examples.length : 0), 0);
  let before = 0;
  const complete = async (given: Batches): Promise<Batches> => {
    if (!lacksReference(config, given)) return given;
    const microBatchSize = config.micro_batch_size ?? given.recipe.batchSize;
    const completed = await withReference(given, {
      ...{ model, signal, precision: config.precision, layout: { ...batchLayout(task), microBatchSize } },
      onProgress: (done) =>
        onProgress({ step: 0, totalSteps: 0, evaluated: {}, reference: { done: before + done, total } }),
    });
    before += given.examples.length;
    return completed;
  };
  const named = new Map<string, Batches>();
  const train = await complete(batches);
  const only = validation && (await complete(evaluated(validation)));
  for (const [name, set] of validationSets ?? []) named.set(name, await complete(evaluated(set)));
  return {
    ...task,
    batches: train,
    ...(only && { validation: only }),
    ...(validationSets && { validationSets: named }),
  };
}

/** All that is evaluated: the first batches in their own order. */
function firstBatches(batches: Batches, count: number): Batches {
  const end = count * batches.recipe.batchSize;
  switch (batches.preference) {
    case 'paired':
      return { ...batches, examples: batches.examples.slice(0, end) };
    case 'unpaired':
      return { ...batches, examples: batches.examples.slice(0, end) };
    default:
      return batches;
  }
}
