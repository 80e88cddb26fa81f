import { readFile, rm } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { fillDefaults } from '../../../src/runtime/config/schema/applicable-schemas.ts';
import { evaluateStage } from '../../../src/stages/evaluate/evaluate-stage.ts';
import * as evaluate from '../../../src/stages/evaluate/run-evaluate.ts';
import { checkTaskMode } from '../../../src/stages/generate/generate-stage.ts';
import * as generate from '../../../src/stages/generate/run-generate.ts';
import { openStageRig, type StageRig } from '../stage-rig.ts';
import { generateDefaults } from './generate-defaults.ts';

const model = resolve(import.meta.dirname, '../../fixtures/benchmarks/lm-eval/model');

const record = (id: string, prompt: string, more: JsonObject): JsonObject => ({
  id,
  segments: [
    { role: 'prompt', text: prompt },
    { role: 'response', text: ' yes' },
  ],
  fields: { asked: id },
  ...more,
});
const text = { mode: 'text', stop: ['\n'], max_new_tokens: 4, temperature: 0, samples: 1 };
const choices = { choices: [' yes', ' no'], generation: { mode: 'choices' } };
const first = record('first', 'Is ice cold?\nAnswer:', { generation: text });
const second = record('second', 'Is snow cold?\nAnswer:', choices);
const third = record('third', 'Do cats fly?\nAnswer:', { generation: text });

async function answer(
  rig: StageRig,
  records: readonly JsonObject[],
  config: JsonObject,
): Promise<readonly JsonObject[]> {
  await rig.writeRecords('prompts', records);
  await rig.run(generate, {
    config: { ...generateDefaults(config) },
    inputs: { model: relative(rig.folder, model), prompts: 'prompts' },
    outputs: { responses: 'responses' },
  });
  return (await rig.readRecords('responses')) as JsonObject[];
}

async function answers(records: readonly JsonObject[], config: JsonObject): Promise<readonly JsonObject[]> {
  await using rig = await openStageRig();
  return await answer(rig, records, config);
}

describe('with `mode: task`', () => {
  it('each record is answered as its task says, in the order of the records', async () => {
    const written = { mode: 'text', max_new_tokens: 4, stop: ['\n'], clean: false };
    const one = await answers([first, third], written);
    const other = await answers([second], { mode: 'choices' });
    expect(await answers([first, second, third], { mode: 'task' })).toEqual([one[0], other[0], one[1]]);
  });

  it('answers are not reused for other settings', async () => {
    await using rig = await openStageRig();
    const [whole] = await answer(rig, [first], { mode: 'task' });
    await rm(rig.path('responses'));
    const stopping = record('first', 'Is ice cold?\nAnswer:', { generation: { ...text, stop: ['yes'] } });
    const [cut] = await answer(rig, [stopping], { mode: 'task' });
    expect([whole?.response, cut?.response]).toEqual([' yes', ' ']);
  });

  it('several answers name their question, under which evaluate finds its reference', async () => {
    await using rig = await openStageRig();
    const drawn = record('q', 'Is ice cold?\nAnswer:', {
      generation: { ...text, temperature: 2, samples: 3 },
    });
    const responses = await answer(rig, [drawn], { mode: 'task' });
    expect(responses.map(({ id, sample_of }) => [id, sample_of])).toEqual([
      ['q', undefined],
      ['q#2', 'q'],
      ['q#3', 'q'],
    ]);
    const filters = [
      { name: 'first', filters: [{ function: 'take_first' }] },
      {
        name: 'vote',
        filters: [
          { function: 'take_first_k', k: 3 },
          { function: 'majority_vote' },
          { function: 'take_first' },
        ],
      },
    ];
    const metric = { metric: 'exact_match', aggregation: 'mean', higher_is_better: true, options: {} };
    const scoring = {
      output_type: 'generate_until',
      metrics: [metric],
      filters,
      groups: [],
      several: false,
      repeats: 3,
      shots: 0,
      version: '1.0',
    };
    await rig.writeRecords('references', [
      { id: 'q', task: 't', target: String(responses[0]?.response), doc: {}, scoring },
    ]);
    await rig.run(evaluate, {
      config: fillDefaults(evaluateStage.schema, { metrics: ['lm_eval'], reference_field: 'target' }),
      inputs: { responses: 'responses', references: 'references' },
      outputs: { scores: 'scores' },
    });
    const scores = JSON.parse(await readFile(rig.path('scores'), 'utf8')) as { metrics: JsonObject[] };
    expect(scores.metrics.map(({ metric: name, count }) => [name, count])).toEqual([
      ['exact_match,first', 1],
      ['exact_match,vote', 1],
    ]);
    expect(scores.metrics[0]).toMatchObject({ value: 1, remark: 't: version 1.0, 0 shots' });
  });

  it('records that no task has written are refused', async () => {
    const { generation: _, ...plain } = first;
    await expect(answers([plain], { mode: 'task' })).rejects.toMatchObject({
      code: 'no-task',
      records: [{ id: 'first', problem: 'it does not say how it is answered' }],
    });
  });

  it('another mode says that it does not heed the tasks', async () => {
    await using rig = await openStageRig();
    await answer(rig, [first], { mode: 'text', max_new_tokens: 1 });
    expect(rig.reports.flatMap((report) => (report.type === 'note' ? [report.message] : []))).toContain(
      '1 of 1 records are of tasks that say how they are answered, which `mode: text` does not heed; `mode: task` does',
    );
  });

  it('fields that the tasks set are refused', () => {
    const config = generateDefaults({ mode: 'task', stop: ['\n'], max_new_tokens: 8, batch_size: 2 });
    expect(checkTaskMode(config).map(({ pointer, code }) => [pointer, code])).toEqual([
      ['/max_new_tokens', 'unheeded-field'],
      ['/stop', 'unheeded-field'],
    ]);
  });
});
