import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { newTemporaryFolder } from '../../src/core/index.ts';
import { type Battle, type Contestant, putBattle, readBattles } from '../../src/judging/index.ts';

const newFile = async (text?: string): Promise<string> => {
  const path = join(await newTemporaryFolder('battles-'), 'small.battles.jsonl');
  if (text !== undefined) await writeFile(path, text);
  return path;
};

const by = (stage: string, version: string, answer = `${stage} says`): Contestant => ({
  stage,
  version,
  answer,
});
const battle = (a: Contestant, b: Contestant, others: Partial<Battle> = {}): Battle => ({
  ...{ judge: 'ada', question: 'q1', winner: 'model_a' as const, a, b },
  ...others,
});
const modelsIn = async (path: string) =>
  (await readFile(path, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .map(({ model_a, model_b, winner }) => [model_a, model_b, winner]);

test('each version of a stage is a model of its own, so that old weights are never rated as new ones', async () => {
  const path = await newFile();
  await putBattle(path, battle(by('before', 'v1'), by('after', 'v1')));
  await putBattle(path, battle(by('after', 'v2'), by('before', 'v1'), { question: 'q2' }));
  await putBattle(path, battle(by('after', 'v3'), by('after', 'v1'), { question: 'q3' }));
  await putBattle(path, battle(by('after', 'v2'), by('after', 'v1'), { question: 'q4' }));
  expect(await modelsIn(path)).toEqual([
    ['before', 'after', 'model_a'],
    ['after (2)', 'before', 'model_a'],
    ['after (3)', 'after', 'model_a'],
    ['after (2)', 'after', 'model_a'],
  ]);
});

test('a choice replaces the same person’s earlier one between the same answers, on either side, and no other', async () => {
  const path = await newFile();
  const [a, b] = [by('before', 'v1'), by('after', 'v1')];
  await putBattle(path, battle(a, b));
  await putBattle(path, battle(a, b, { judge: 'bob' }));
  await putBattle(path, battle(a, by('after', 'v1', 'another answer')));
  await putBattle(path, battle(b, a, { winner: 'tie' }));
  expect(await modelsIn(path)).toEqual([
    ['after', 'before', 'tie'],
    ['before', 'after', 'model_a'],
    ['before', 'after', 'model_a'],
  ]);
  expect((await readBattles(path)).map(({ judge, winner }) => [judge, winner])).toEqual([
    ['ada', 'tie'],
    ['bob', 'model_a'],
    ['ada', 'model_a'],
  ]);
});

test('battles from elsewhere stay as they are, and their models’ names are not taken', async () => {
  const line = '{"model_a":"gpt", "model_b":"after",  "winner":"model_b","tstamp":1.50}';
  const path = await newFile(`${line}\n`);
  await putBattle(path, battle(by('gpt', 'v1'), by('after', 'v1')));
  const text = await readFile(path, 'utf8');
  expect(text.split('\n')[0]).toBe(line);
  expect(await modelsIn(path)).toEqual([
    ['gpt', 'after', 'model_b'],
    ['gpt (2)', 'after (2)', 'model_a'],
  ]);
  expect((await readBattles(path)).length).toBe(1);
});

test('a file that holds no battles is refused and unchanged', async () => {
  const path = await newFile('{"a":1}\n');
  await expect(readBattles(path)).rejects.toThrow(`${path}:1: the line is no battle`);
  expect(await readFile(path, 'utf8')).toBe('{"a":1}\n');
});
