import { appendFile, readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { UserError } from '../../../src/core/user-error.ts';
import type { StageDefinition } from '../../../src/runtime/stage/stage-definition.ts';
import { openRig } from '../rig/run-rig.ts';
import { oneText, readText, textOut, tinyStage, writeText } from '../rig/tiny-stage.ts';
import { read } from '../rig/tiny-stages.ts';

/** A source whose records are the words of a file, one a line. */
const words: StageDefinition = {
  ...read,
  name: 'words',
  locate: async ({ config, ids }) => {
    const path = String(config.path);
    const lines = (await readFile(path, 'utf8')).split('\n');
    const places = lines.map((word, index) => [word, { path, line: index + 1 }] as const);
    return new Map(places.filter(([word]) => ids.includes(word)));
  },
};

const copy = tinyStage({
  name: 'copy',
  ports: { inputs: { text: oneText }, outputs: textOut },
  run: async (action) => writeText(action, await readText(action.inputs.text)),
});
const pass: StageDefinition = { ...copy, name: 'pass', recordsPort: 'text' };

/** Refuses words, after it has added to the file `spoil`. */
const refuse: StageDefinition = {
  ...tinyStage({
    name: 'refuse',
    ports: { inputs: { text: oneText, other: oneText }, outputs: textOut },
    run: async ({ config: { ids, port, spoil } }) => {
      if (typeof spoil === 'string') await appendFile(spoil, '\nfour');
      throw new UserError({
        code: 'bad-words',
        message: 'there are bad words',
        records: String(ids)
          .split(' ')
          .map((id) => ({ id, problem: 'it is bad' })),
        ...(typeof port === 'string' ? { port } : {}),
      });
    },
  }),
  recordsPort: 'text',
};

const registry = new Map([words, copy, pass, refuse].map((stage) => [stage.name, stage]));

/** The records of the failure, `id` or `id at file:line`, and how many more there are. */
async function refused(config: JsonObject, between = 'pass') {
  await using rig = await openRig();
  const a = await rig.write('a.txt', 'one\ntwo\nthree');
  await rig.write('b.txt', 'two\none');
  const stages = {
    a: { uses: 'words', with: { path: 'a.txt' } },
    b: { uses: 'words', with: { path: 'b.txt' } },
    between: { uses: between, from: { text: 'a.text' } },
    refuse: {
      uses: 'refuse',
      with: { ...config, ...(config.spoil === true ? { spoil: a } : {}) },
      from: { text: 'between.text', other: 'b.text' },
    },
  };
  const outcome = (await rig.run(rig.dag(stages, { registry }))).stages.get('refuse');
  if (outcome?.decision !== 'failed' || outcome.failure.kind !== 'stage-error')
    throw new Error('the stage did not fail as it should');
  const { records = [], otherRecords } = outcome.failure;
  const shown = records.map(({ id, place }) =>
    place === undefined ? id : `${id} at ${relative(rig.folder, place.path)}:${place.line}`,
  );
  return otherRecords === undefined ? shown : [...shown, `and ${otherRecords} more`];
}

test('a record is followed through the stages that pass it on to its line in the source', async () => {
  expect(await refused({ ids: 'three one unheard-of' })).toEqual([
    'three at a.txt:3',
    'one at a.txt:1',
    'unheard-of',
  ]);
});

test('a record is looked up behind the port at which it came in', async () => {
  expect(await refused({ ids: 'one', port: 'other' })).toEqual(['one at b.txt:2']);
});

test('the search ends at a stage that does not declare that it passes records on', async () => {
  expect(await refused({ ids: 'one' }, 'copy')).toEqual(['one']);
});

test('a source that changed meanwhile gives no places', async () => {
  expect(await refused({ ids: 'one', spoil: true })).toEqual(['one']);
});

test('of many records ten are named', async () => {
  const ids = Array.from({ length: 12 }, (_, index) => `w${index}`);
  expect(await refused({ ids: ids.join(' ') })).toEqual([...ids.slice(0, 10), 'and 2 more']);
});
