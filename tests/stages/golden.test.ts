import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { fillDefaults } from '../../src/runtime/config/schema/applicable-schemas.ts';
import { collateStage } from '../../src/stages/collate/collate-stage.ts';
import * as collate from '../../src/stages/collate/run-collate.ts';
import { evaluateStage } from '../../src/stages/evaluate/evaluate-stage.ts';
import * as evaluate from '../../src/stages/evaluate/run-evaluate.ts';
import { formatStage } from '../../src/stages/format/format-stage.ts';
import * as format from '../../src/stages/format/run-format.ts';
import { loadStage } from '../../src/stages/load/load-stage.ts';
import * as load from '../../src/stages/load/run-load.ts';
import * as split from '../../src/stages/split/run-split.ts';
import { splitStage } from '../../src/stages/split/split-stage.ts';
import * as tokenize from '../../src/stages/tokenize/run-tokenize.ts';
import { tokenizeStage } from '../../src/stages/tokenize/tokenize-stage.ts';
import { openStageRig } from './stage-rig.ts';

const data = fileURLToPath(new URL('../fixtures/stages/rows.jsonl', import.meta.url));
const parts = [{ train: 0.5 }, { test: 'rest' }];
const collation = {
  batch_size: 2,
  max_length: 48,
  too_long: 'truncate',
  train_on: 'response_with_header',
  packing: false,
  shuffle: true,
  drop_last: false,
  seed: 1,
  expect: { trained_token_in_every_example: false, minimum_examples: 0 },
};

test('the same inputs give the same bytes for as long as a stage keeps its version', async () => {
  await using rig = await openStageRig();
  const written: Record<string, string> = {};
  const digest = async (name: string) =>
    createHash('sha256')
      .update(await readFile(rig.path(name)))
      .digest('hex')
      .slice(0, 16);
  const record = async ({ name, version }: { name: string; version: number }, file: string) => {
    written[`${name} ${version}: ${file}`] = await digest(file);
  };

  await rig.run(load, { config: { type: 'auto', records: data }, outputs: { records: 'loaded' } });
  await record(loadStage, 'loaded');
  await rig.run(format, {
    config: { template: 'alpaca' },
    inputs: { records: 'loaded' },
    outputs: { records: 'formatted' },
  });
  await record(formatStage, 'formatted');
  for (const by of ['order', 'hash']) {
    await rig.run(split, {
      config: { by, parts, seed: 0, drop_leaks: false },
      inputs: { records: 'formatted' },
      outputs: { records: { train: `${by}-train`, test: `${by}-test` } },
    });
    await record(splitStage, `${by}-train`);
  }
  await rig.run(tokenize, {
    config: { encoding: 'r50k_base' },
    inputs: { records: 'formatted' },
    outputs: { tokens: 'tokens' },
  });
  await record(tokenizeStage, 'tokens');
  await rig.run(collate, {
    config: collation,
    inputs: { tokens: 'tokens' },
    outputs: { batches: 'batches' },
  });
  await record(collateStage, 'batches');
  const answer = { prompt: 'p', expected: 'the cat', fields: { response: 'x' }, finish_reason: 'stop' };
  await rig.writeRecords('answers', [
    { ...answer, id: 'a', response: 'A cat.' },
    { ...answer, id: 'b', response: '80', finish_reason: 'length' },
  ]);
  await rig.run(evaluate, {
    config: fillDefaults(evaluateStage.schema, {
      metrics: ['exact_match', 'token_f1', 'judge_score', 'finished'],
    }),
    inputs: { responses: 'answers' },
    outputs: { scores: 'scores' },
  });
  await record(evaluateStage, 'scores');
  expect(written).toMatchInlineSnapshot(`
    {
      "collate 1: batches": "c0cf03426700a8b4",
      "evaluate 1: scores": "d33292214313d55e",
      "format 2: formatted": "b04d46b3a450fe5b",
      "load 2: loaded": "9c359faa0eb381c2",
      "split 1: hash-train": "e2e17317076d71e8",
      "split 1: order-train": "2290934c8556cf79",
      "tokenize 1: tokens": "3c2e76883f50e33c",
    }
  `);
});
