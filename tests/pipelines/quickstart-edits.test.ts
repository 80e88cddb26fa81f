import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openShippedRig, type ShippedRig } from './shipped-pipeline.ts';

const pipeline = 'pipelines/quickstart.yaml';
const questions = 'pipelines/quickstart/instructions.jsonl';

/** The stages that a run of the quickstart executed, with one epoch to save time. */
async function stagesThatRun(rig: ShippedRig, ...words: string[]): Promise<readonly string[]> {
  const { exitCode, stdout, stderr } = await rig.run(
    'quickstart',
    '--set',
    'stages.train.with.epochs=1',
    ...words,
  );
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return [...stdout.matchAll(/^started +(\S+)/gm)].map(([, stage = '']) => stage).sort();
}

async function edit(rig: ShippedRig, file: string, change: (text: string) => string): Promise<void> {
  const text = await readFile(join(rig.folder, file), 'utf8');
  const changed = change(text);
  expect(changed).not.toBe(text);
  await rig.write(file, changed);
}

/** Appends an exclamation mark to the answer of one question of the test part. */
async function editTestRow(rig: ShippedRig): Promise<void> {
  const [asked] = await rig.rows('quickstart', 'split/records/test');
  const { id } = asked as { id: string }; // decode edge: a formatted record
  await edit(rig, questions, (text) =>
    text.replace(new RegExp(`^(.*"id": ?"${id}".*)\\."\\}$`, 'm'), '$1!"}'),
  );
}

test('an edit of the quickstart reruns what the README says, and nothing else', async () => {
  await using rig = await openShippedRig();
  expect(await stagesThatRun(rig)).toHaveLength(11);
  expect(await stagesThatRun(rig)).toEqual([]);

  await edit(rig, pipeline, (text) => `# a comment\n${text}`);
  expect(await stagesThatRun(rig)).toEqual([]);

  expect(await stagesThatRun(rig, '-p', 'learning_rate=1.0e-3')).toEqual(['after', 'answers_after', 'train']);
  expect(await stagesThatRun(rig)).toEqual([]);

  await edit(rig, pipeline, (text) => text.replace(/(from: answers_after\n.*metrics: \[)/, '$1finished, '));
  expect(await stagesThatRun(rig)).toEqual(['after']);

  await editTestRow(rig);
  expect(await stagesThatRun(rig)).toEqual([
    ...['after', 'answers_after', 'answers_before', 'before'], // the test part has changed
    ...['collate', 'format', 'questions', 'split', 'tokenize'], // they read all parts; train does not
  ]);
}, 120_000);
