import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fillDefaults } from '../../src/runtime/config/schema/applicable-schemas.ts';
import { evaluateStage } from '../../src/stages/evaluate/evaluate-stage.ts';
import * as evaluate from '../../src/stages/evaluate/run-evaluate.ts';
import { formatStage } from '../../src/stages/format/format-stage.ts';
import * as format from '../../src/stages/format/run-format.ts';
import * as generate from '../../src/stages/generate/run-generate.ts';
import { loadStage } from '../../src/stages/load/load-stage.ts';
import * as load from '../../src/stages/load/run-load.ts';
import expected from '../fixtures/benchmarks/lm-eval/expected.json' with { type: 'json' };
import { generateDefaults } from '../stages/generate/generate-defaults.ts';
import { openStageRig } from '../stages/stage-rig.ts';

const fixtures = join(import.meta.dirname, '../fixtures/benchmarks/lm-eval');

interface Question {
  readonly choices?: readonly string[];
  readonly delimiter?: string;
  readonly target: string;
  readonly generation: { readonly mode: string };
}

interface Answered {
  readonly prompt: string;
  readonly response?: string;
  readonly log_likelihood?: number;
  readonly choices?: readonly { text: string; log_likelihood: number; is_greedy: boolean }[];
}

interface Scored {
  readonly metric: string;
  readonly of?: string;
  readonly value: number;
  readonly standard_error?: number;
}

/** A task through load, format, generate and evaluate. */
async function run(task: string, shots: number | null) {
  await using rig = await openStageRig();
  const source = { records: join(fixtures, 'tasks'), data: join(fixtures, 'data') };
  const config = {
    ...source,
    as: 'lm_eval',
    tasks: [task],
    ...(shots === null ? {} : { num_fewshot: shots }),
  };
  await rig.run(load, { config: fillDefaults(loadStage.schema, config), outputs: { records: 'questions' } });
  await rig.run(format, {
    config: fillDefaults(formatStage.schema, { template: 'lm_eval' }),
    inputs: { records: 'questions' },
    outputs: { records: 'prompts' },
  });
  await rig.run(generate, {
    config: { ...generateDefaults({ mode: 'task', too_long: 'cut' }) },
    inputs: { model: relative(rig.folder, join(fixtures, 'model')), prompts: 'prompts' },
    outputs: { responses: 'responses' },
  });
  await rig.run(evaluate, {
    config: fillDefaults(evaluateStage.schema, { metrics: ['lm_eval'], reference_field: 'target' }),
    inputs: { responses: 'responses', references: 'questions' },
    outputs: { scores: 'scores' },
  });
  return {
    questions: (await rig.readRecords('questions')) as unknown as Question[],
    responses: (await rig.readRecords('responses')) as unknown as Answered[],
    scores: JSON.parse(await readFile(rig.path('scores'), 'utf8')) as { metrics: Scored[] },
  };
}

/** The same to four digits after the point, or to five digits in all. */
const close = (value: number): unknown =>
  expect.closeTo(value, 4 - Math.max(0, Math.ceil(Math.log10(Math.abs(value)))));

function answerOf({ response, log_likelihood: whole, choices }: Answered): unknown[] {
  if (response !== undefined) return [response];
  return choices?.map((choice) => [choice.log_likelihood, choice.is_greedy]) ?? [whole];
}

const expectedAnswer = (answer: unknown): unknown => {
  if (Array.isArray(answer)) return [close(answer[0]), answer[1]];
  return typeof answer === 'number' ? close(answer) : answer;
};

/** Under lm-evaluation-harness's names: `acc,none`, `acc_stderr,none`. */
function figuresOf(scores: readonly Scored[], task: string): Record<string, Record<string, number>> {
  const figures: Record<string, Record<string, number>> = {};
  for (const { metric: name, of = task, value, standard_error: error } of scores) {
    const [metric, filter = 'none'] = name.split(',');
    figures[of] = {
      ...figures[of],
      [`${metric},${filter}`]: value,
      ...(error === undefined ? {} : { [`${metric}_stderr,${filter}`]: error }),
    };
  }
  return figures;
}

const expectedFigures = (figures: object): unknown =>
  Object.fromEntries(
    Object.entries(figures).map(([task, own]: [string, object]) => [
      task,
      Object.fromEntries(Object.entries(own).map(([name, value]) => [name, close(value)])),
    ]),
  );

describe('a task gives the prompts, the responses and the figures of lm-evaluation-harness', () => {
  it.each(expected)('$task with $shots shots', async ({ task, shots, figures, samples }) => {
    const { questions, responses, scores } = await run(task, shots);
    const requests = Object.values(samples).flat();
    expect(responses.map(({ prompt }) => prompt)).toEqual(requests.map(({ context }) => context));
    expect(questions.map(continuationsOf)).toEqual(requests.map(({ continuations = [] }) => continuations));
    expect(responses.map(answerOf)).toEqual(requests.map(({ resps }) => resps.map(expectedAnswer)));
    expect(figuresOf(scores.metrics, task)).toEqual(expectedFigures(figures));
  });
});

/** What lm-evaluation-harness scores: a delimiter with each choice, or a whole text. */
function continuationsOf({ choices, delimiter, target, generation }: Question): readonly string[] {
  if (choices !== undefined) return choices.map((choice) => delimiter + choice);
  return generation.mode === 'rolling' ? [target] : [];
}
