import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { openShippedRig, type ShippedRig } from './shipped-pipeline.ts';

test('the quickstart teaches the model to answer questions about facts that no training question named', async () => {
  await using rig = await openShippedRig();
  expect(await rig.run('quickstart')).toMatchObject({ exitCode: 0 });
  expect(await exactMatch(rig, 'before')).toBe(0);
  expect(await exactMatch(rig, 'after')).toBeGreaterThan(0.9);
  expect(await sharedFacts(rig)).toEqual([]);
  const again = await rig.run('quickstart');
  expect(again.stderr + again.stdout).toContain('nothing had to run');
});

test('what the quickstart says to try next shows overfitting and its cure', async () => {
  await using rig = await openShippedRig();
  const file = join(rig.folder, 'pipelines', 'quickstart.yaml');
  const text = await readFile(file, 'utf8');
  const overfitting = text
    .replace('learning_rate: 5.0e-4', 'learning_rate: 2.0e-3')
    .replace('epochs: 4', 'epochs: 12');
  const cured = overfitting.replace(
    'clip_norm: 1',
    'early_stop: { patience: 2 }\n      keep: best\n      clip_norm: 1',
  );
  await rig.write('pipelines/quickstart.yaml', overfitting);
  expect(await rig.run('quickstart')).toMatchObject({ exitCode: 0 });
  expect(await exactMatch(rig, 'after')).toBeLessThan(0.6);
  await rig.write('pipelines/quickstart.yaml', cured);
  const ended = await rig.run('quickstart');
  expect(await exactMatch(rig, 'after')).toBeGreaterThan(0.85);
  expect(ended.stdout + ended.stderr).toContain('3 stages ran, 8 reused');
});

test('facts.json, the instructions and the tokenizer of the quickstart are consistent', async () => {
  await using rig = await openShippedRig();
  const folder = join(rig.folder, 'pipelines', 'quickstart');
  const made = [
    'instructions.jsonl',
    'tokenizer/tokenizer.json',
    'tokenizer/tokenizer_config.json',
    'base/tokenizer.json',
    'base/tokenizer_config.json',
  ];
  const contents = () => Promise.all(made.map((path) => readFile(join(folder, path), 'utf8')));
  const shipped = await contents();
  await execa(process.execPath, [join(folder, 'make-data.mjs')]);
  expect(await contents()).toEqual(shipped);
  expect(shipped[3]).toBe(shipped[1]);
  expect(shipped[4]).toBe(shipped[2]);
});

async function exactMatch(rig: ShippedRig, stage: string): Promise<number | undefined> {
  const { metrics } = await rig.scores('quickstart', stage);
  return metrics.find(({ metric }) => metric === 'exact_match')?.value;
}

/** Facts that are in both the training part and the test part. */
async function sharedFacts(rig: ShippedRig): Promise<readonly string[]> {
  const factsIn = async (part: string) => {
    const rows = await rig.rows('quickstart', `split/records/${part}`);
    return new Set(
      rows.map((row) => JSON.stringify(row)).map((row) => /"fact":"([^"]*)"/.exec(row)?.[1] ?? row),
    );
  };
  const [trained, tested] = [await factsIn('train'), await factsIn('test')];
  return [...tested].filter((fact) => trained.has(fact));
}
