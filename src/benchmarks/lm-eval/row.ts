import {
  hasFields,
  isBoolean,
  isList,
  isNumber,
  isObject,
  isText,
  type Json,
  type JsonObject,
  listOf,
  UserError,
} from '../../core/index.ts';
import type { Example } from '../benchmark.ts';
import type { Context } from './contexts.ts';
import { arePipelines, type FilterPipeline } from './filter-list.ts';
import type { Gold } from './gold.ts';
import type { OutputType, TaskMetric } from './metric-list.ts';
import type { GroupMembership, Task } from './task.ts';

/** How the answers to a task's questions are scored. */
export interface Scoring {
  readonly output_type: OutputType;
  readonly metrics: readonly TaskMetric[];
  readonly filters: readonly FilterPipeline[];
  readonly groups: readonly GroupMembership[];
  /** Whether questions have lists of right answers. */
  readonly several: boolean;
  readonly repeats: number;
  readonly shots: number;
  readonly version: string | null;
}

interface Question {
  readonly task: Task;
  readonly doc: JsonObject;
  readonly context: Context;
  readonly choices: readonly string[] | undefined;
  readonly gold: Gold;
  readonly hasSeveral: boolean;
}

/** A question as a row: what `exampleOf` and the metric read of it. */
export function taskRow({ task, doc, context, choices, gold, hasSeveral }: Question): JsonObject {
  const { outputType, metrics, filters, groups, repeats, shots, version } = task;
  const isChoice = outputType === 'multiple_choice';
  const target = hasSeveral ? gold.texts : (gold.texts[0] ?? '');
  // A log-likelihood is that of the only choice.
  const given = isChoice ? choices : outputType === 'loglikelihood' ? gold.texts : undefined;
  const scoring: Scoring = {
    output_type: outputType,
    metrics,
    filters,
    groups,
    several: hasSeveral,
    repeats,
    shots: shots.count,
    version: version ?? null,
  };
  return {
    task: task.name,
    context: context.text,
    ...(context.shared > 0 && { shared_characters: context.shared }),
    ...(given && { choices: given, delimiter: isChoice ? task.prompt.target_delimiter : '' }),
    target,
    ...(isChoice && { gold: gold.indices }),
    generation: generationOf(task),
    doc,
    scoring: scoring as unknown as JsonObject, // interfaces have no index signature
  };
}

function generationOf({ outputType, generation, repeats }: Task): JsonObject {
  if (outputType === 'loglikelihood_rolling') return { mode: 'rolling' };
  if (outputType !== 'generate_until') return { mode: 'choices' };
  // Without sampling all answers would be equal.
  return { mode: 'text', ...generation, samples: generation.temperature > 0 ? repeats : 1 };
}

/** A row as format writes it. */
export function exampleOf(row: JsonObject): Example {
  const { context, target, choices, delimiter, generation, shared_characters: shared } = row;
  const answer = isList(target) ? target[0] : target;
  if (typeof context !== 'string' || typeof answer !== 'string' || !isObject(generation))
    throw notOfTask('context');
  const listed = isList(choices) ? choices.filter((choice) => typeof choice === 'string') : undefined;
  return {
    prompt: context,
    header: typeof delimiter === 'string' ? delimiter : '',
    response: answer,
    ...(listed && { choices: listed }),
    generation,
    ...(typeof shared === 'number' && { sharedCharacters: shared }),
  };
}

/** What goes along into a response: the rest is in the questions, which evaluate is given as references. */
export const keptFields = ({ task = '', doc = {} }: JsonObject): JsonObject => ({ task, doc });

const isScoring = hasFields({
  output_type: isText,
  metrics: listOf(
    hasFields({ metric: isText, aggregation: isText, higher_is_better: isBoolean, options: isObject }),
  ),
  filters: (value) => arePipelines(value as Json),
  groups: listOf(hasFields({ group: isText, tasks: isNumber, metrics: listOf(isObject) })),
  several: isBoolean,
  repeats: isNumber,
  shots: isNumber,
});

/** How a response is scored, by the question that evaluate was given for it. */
export function scoringOf(fields: JsonObject): { readonly task: string; readonly scoring: Scoring } {
  const { task, scoring } = fields;
  if (typeof task !== 'string' || !isScoring(scoring)) throw notOfTask('scoring');
  return { task, scoring: scoring as unknown as Scoring }; // decode edge: every field has just been checked
}

const notOfTask = (field: string): UserError =>
  new UserError({
    code: 'no-task',
    message: `its row has no \`${field}\` of a task`,
    help: 'read the questions with `as: lm_eval` in the load stage; evaluate takes them as `references`, with `reference_field: target`',
  });
