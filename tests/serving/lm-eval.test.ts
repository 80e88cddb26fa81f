import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { openCliRig } from '../cli/rig.ts';
import { openServe } from './rig.ts';

const script = join(import.meta.dirname, '../fixtures/serving/lm-eval.py');
const python = process.env.TUNELOOM_PYTHON ?? 'python3';
const hasHarness = spawnSync(python, ['-c', 'import lm_eval, transformers, aiohttp, tenacity']).status === 0;

const questions = [
  {
    id: 'a',
    question: 'The capital of France is',
    choices: [' Paris', ' Rome, in Italy', ' Estate Estate'],
    answer: 0,
  },
  { id: 'b', question: 'Two and two are', choices: [' four', ' five or six'], answer: 0 },
  { id: 'c', question: 'Naïve — or', choices: [' not', ' 世界'], answer: 1 },
];

const pipeline = `name: harness
stages:
  base: { uses: load, with: { init: { context_length: 128, width: 16, layers: 2, heads: 2, encoding: r50k_base, seed: 5 } } }
  load: { with: { records: rows.jsonl } }
  asked: { uses: format, from: load, with: { template: { prompt: "{{ question }}", response: "{{ choices[answer] }}", choices: choices } } }
  whole: { uses: format, from: load, with: { template: { prompt: "{{ question }}" } } }
  choices: { uses: generate, from: { model: base, prompts: asked }, with: { mode: choices } }
  rolling: { uses: generate, from: { model: base, prompts: whole }, with: { mode: rolling } }
  text: { uses: generate, from: { model: base, prompts: whole }, with: { max_new_tokens: 12, stop: ["\\n\\n"], clean: false } }
`;

interface Choice {
  readonly log_likelihood: number;
  readonly is_greedy: boolean;
}

const rounded = ([score, greedy]: readonly [number, boolean]) => [score.toFixed(4), greedy];

test.skipIf(!hasHarness)(
  `lm-evaluation-harness gets the scores and texts of our own runs from the server${hasHarness ? '' : ' (skipped: no lm_eval)'}`,
  async () => {
    await using cli = await openCliRig({
      'package.json': '{}',
      'rows.jsonl': questions.map((row) => `${JSON.stringify(row)}\n`).join(''),
      'harness.yaml': pipeline,
    });
    const { exitCode, stdout, stderr } = await cli.tuneloom('run', 'harness.yaml');
    expect([exitCode, exitCode === 0 ? '' : stdout + stderr]).toEqual([0, '']);
    expect((await cli.tuneloom('export', 'harness.yaml', 'base', '--to', 'folder')).exitCode).toBe(0);
    const shown = async (stage: string): Promise<readonly JsonObject[]> =>
      JSON.parse((await cli.tuneloom('show', 'harness.yaml', stage, '--json')).stdout).content.items;
    await using server = await openServe(cli, ['harness.yaml', 'base']);
    const pairs = questions.flatMap(({ question, choices }) => choices.map((choice) => [question, choice]));
    const texts = questions.map(({ question }) => question);
    const run = await execa(python, [script, server.address, join(cli.folder, 'folder')], {
      input: JSON.stringify({ pairs, texts, prompts: texts }),
    });
    const found = JSON.parse(run.stdout.split('\n').at(-1) ?? '');
    const ownPairs = (await shown('choices')).flatMap(
      ({ choices }) => choices as unknown as readonly Choice[],
    );
    expect(found.pairs.map(rounded)).toEqual(
      ownPairs.map(({ log_likelihood, is_greedy }) => rounded([log_likelihood, is_greedy])),
    );
    // One of the continuations is what the model writes.
    expect(ownPairs.filter(({ is_greedy }) => is_greedy)).toHaveLength(1);
    const rolling = await shown('rolling');
    expect(found.texts.map((score: number) => score.toFixed(4))).toEqual(
      rolling.map(({ log_likelihood }) => Number(log_likelihood).toFixed(4)),
    );
    expect(found.prompts).toEqual((await shown('text')).map(({ response }) => response));
  },
  120_000,
);
