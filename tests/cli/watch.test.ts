import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type CliRig, dataProject, openCliRig } from './rig.ts';

/** A run that watches, whose lines can be waited for. */
function startWatching(rig: CliRig, ...words: readonly string[]) {
  const running = rig.start('run', '--watch', '--json', ...words);
  let text = '';
  let seen = 0;
  for (const stream of [running.stdout, running.stderr])
    stream.on('data', (chunk: Buffer) => {
      text += chunk;
    });
  return {
    running,
    /** The lines up to the next one that says that it waits. */
    untilWaiting: async (): Promise<readonly (Record<string, unknown> & { readonly type: string })[]> => {
      for (;;) {
        const end = text.indexOf('{"type":"waiting"', seen);
        if (end >= 0 && text.indexOf('\n', end) >= 0) {
          const lines = text.slice(seen, end).trim().split('\n');
          seen = text.indexOf('\n', end) + 1;
          return lines.map((line) => JSON.parse(line));
        }
        if (running.exitCode !== null) throw new Error(`the run ended: ${text}`);
        await sleep(20);
      }
    },
  };
}

type Lines = Awaited<ReturnType<ReturnType<typeof startWatching>['untilWaiting']>>;

const ran = (lines: Lines) => lines.filter(({ type }) => type === 'stage-started').map(({ stage }) => stage);
const changed = (lines: Lines) => lines.find(({ type }) => type === 'changed')?.path;

test('run --watch reruns what an edit changes, waits on mistakes, and ends with Ctrl-C', {
  timeout: 60_000,
}, async () => {
  await using rig = await openCliRig({
    ...dataProject,
    'mine.yaml': 'extends: data.yaml\nparams: { length: 32 }\n',
  });
  const { running, untilWaiting } = startWatching(rig, 'mine.yaml');
  expect(ran(await untilWaiting())).toEqual(['load', 'format', 'split', 'tokenize', 'collate']);

  await rig.write('mine.yaml', 'extends: data.yaml\nparams: { length: 48 }\n');
  const overlay = await untilWaiting();
  expect([changed(overlay), ran(overlay)]).toEqual(['mine.yaml', ['collate']]);

  await rig.write('data.yaml', dataProject['data.yaml'].replace('template: alpaca', 'templat: alpaca'));
  const mistake = await untilWaiting();
  expect([changed(mistake), ran(mistake), mistake.some(({ errors }) => errors !== undefined)]).toEqual([
    ...['data.yaml', [], true],
  ]);

  // As an editor does that writes beside the file and renames.
  await rig.write('new.yaml', dataProject['data.yaml']);
  await rename(join(rig.folder, 'new.yaml'), join(rig.folder, 'data.yaml'));
  const fixed = await untilWaiting();
  expect([changed(fixed), ran(fixed)]).toEqual(['data.yaml', []]);

  await rig.write('rows.jsonl', dataProject['rows.jsonl'].replace('Spell dog.', 'Please spell dog.'));
  const source = await untilWaiting();
  expect([changed(source), ran(source)]).toEqual([
    ...['rows.jsonl', ['load', 'format', 'split', 'tokenize', 'collate']],
  ]);

  running.kill('SIGINT');
  expect((await running).exitCode).toBe(130);
});

test('run --watch waits for a file that is half-written, and runs the whole one', {
  timeout: 60_000,
}, async () => {
  await using rig = await openCliRig(dataProject);
  const { running, untilWaiting } = startWatching(rig, 'data.yaml');
  await untilWaiting();
  const whole = dataProject['data.yaml'].replace('length: 64', 'length: 48');
  for (let length = 20; length < whole.length; length += 60) {
    await rig.write('data.yaml', whole.slice(0, length));
    await sleep(100);
  }
  await rig.write('data.yaml', whole);
  const lines = await untilWaiting();
  expect([lines.filter(({ type }) => type === 'changed').length, ran(lines)]).toEqual([1, ['collate']]);
  expect(lines.some(({ errors }) => errors !== undefined)).toBe(false);
  running.kill('SIGINT');
  await running;
});

test("run --watch reruns a stage of the user's when its code or a module elsewhere changes", {
  timeout: 60_000,
}, async () => {
  const stage = (word: string) => `import { implementStage } from 'tuneloom/stage';
import { mark } from '../shared/mark.ts';
export const { run } = implementStage()({
  inputs: { records: 'records' },
  outputs: { records: 'records' },
  async run({ inputs, outputs }) {
    for await (const record of inputs.records) await outputs.records.write({ ...record, fields: { text: mark('${word}') } });
    return {};
  },
});
`;
  await using rig = await openCliRig({
    'package.json': '{"type":"module"}',
    'rows.jsonl': '{"id":"a","text":"x"}\n',
    'own.yaml': 'stages:\n  load: { with: { records: rows.jsonl } }\n  mine: { uses: ./mine, from: load }\n',
    'mine/stage.yaml': 'name: mine\ninputs: { records: records }\noutputs: { records: records }\n',
    'mine/index.ts': stage('a'),
    'shared/mark.ts': 'export const mark = (word: string) => word.concat("!");\n',
  });
  const { running, untilWaiting } = startWatching(rig, 'own.yaml');
  expect(ran(await untilWaiting())).toEqual(['load', 'mine']);
  await rig.write('mine/index.ts', stage('b'));
  expect(ran(await untilWaiting())).toEqual(['mine']);
  await rig.write('shared/mark.ts', 'export const mark = (word: string) => word.concat("?");\n');
  const lines = await untilWaiting();
  expect([changed(lines), ran(lines)]).toEqual(['shared/mark.ts', ['mine']]);
  running.kill('SIGINT');
  await running;
});
