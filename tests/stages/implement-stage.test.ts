import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { UserError } from '../../src/core/user-error.ts';
import { implementStage } from '../../src/stages/implement-stage.ts';
import { openStageRig } from './stage-rig.ts';

const copy = implementStage<{ readonly suffix: string }>()({
  inputs: { records: 'records', extra: 'records?' },
  outputs: { records: 'records', model: 'model?' },
  async run({ config, inputs, outputs, part }) {
    for await (const record of inputs.records)
      await outputs.records.write({ ...record, id: record.id + config.suffix });
    return { part: part ?? null, extra: inputs.extra !== undefined, model: outputs.model !== undefined };
  },
});

test('a stage runs once on ports without parts, and unbound optional ports are undefined', async () => {
  await using rig = await openStageRig();
  await rig.writeRecords('in', [{ id: 'a', b: 1, a: 2 }, { id: 'b' }]);
  const measured = await rig.run(copy, {
    config: { suffix: '!' },
    inputs: { records: 'in' },
    outputs: { records: 'out' },
  });
  expect(measured).toEqual({ part: null, extra: false, model: false });
  expect(await readFile(rig.path('out'), 'utf8')).toBe('{"id":"a!","b":1,"a":2}\n{"id":"b!"}\n');
});

test('a stage runs once for each part it is given, beside inputs that have none', async () => {
  await using rig = await openStageRig();
  await rig.writeRecords('train', [{ id: 'a' }]);
  await rig.writeRecords('test', []);
  const measured = await rig.run(copy, {
    config: { suffix: '' },
    inputs: { records: { train: 'train', test: 'test' }, extra: 'train' },
    outputs: { records: { train: 'out-train', test: 'out-test' } },
  });
  expect(measured).toEqual({
    train: { part: 'train', extra: true, model: false },
    test: { part: 'test', extra: true, model: false },
  });
  expect(await rig.readRecords('out-train')).toEqual([{ id: 'a' }]);
  expect(await rig.readRecords('out-test')).toEqual([]);
});

test('a stage that makes its own parts writes to each of them', async () => {
  await using rig = await openStageRig();
  const deal = implementStage()({
    inputs: {},
    outputs: { records: 'records[part]' },
    async run({ outputs }) {
      for (const [part, sink] of Object.entries(outputs.records)) await sink.write({ id: part });
    },
  });
  expect(await rig.run(deal, { config: {}, outputs: { records: { odd: 'o', even: 'e' } } })).toEqual({});
  expect([await rig.readRecords('o'), await rig.readRecords('e')]).toEqual([
    [{ id: 'odd' }],
    [{ id: 'even' }],
  ]);
});

test('a broken line in a records file is a stage error that names file, line and column', async () => {
  await using rig = await openStageRig();
  await rig.write('in', '{"id":"a"}\n{"id":"b",}\n');
  const run = rig.run(copy, {
    config: { suffix: '' },
    inputs: { records: 'in' },
    outputs: { records: 'out' },
  });
  await expect(run).rejects.toThrow(UserError);
  await expect(run).rejects.toThrow(
    `${rig.path('in')}:2:11: the line is not JSON: there is a comma before \`}\``,
  );
});

test('a stage that reads a stream stops when it is aborted', async () => {
  await using rig = await openStageRig();
  await rig.writeRecords('in', [{ id: 'a' }, { id: 'b' }]);
  const stop = new AbortController();
  const stopAtFirst = implementStage()({
    inputs: { records: 'records' },
    outputs: { records: 'records' },
    async run({ inputs, outputs }) {
      for await (const record of inputs.records) {
        await outputs.records.write(record);
        stop.abort(new Error('told to stop'));
      }
    },
  });
  const files = { inputs: { records: 'in' }, outputs: { records: 'out' } };
  await expect(rig.run(stopAtFirst, { config: {}, ...files, signal: stop.signal })).rejects.toThrow(
    'told to stop',
  );
});

test('a user error names the part in which it was found', async () => {
  await using rig = await openStageRig();
  await rig.writeRecords('train', []);
  await rig.writeRecords('test', []);
  const broken = implementStage()({
    inputs: { records: 'records' },
    outputs: { records: 'records' },
    async run({ part }) {
      if (part === 'test')
        throw new UserError({ code: 'bad', message: 'it is bad', help: 'fix it', records: [{ id: 'a' }] });
    },
  });
  await expect(
    rig.run(broken, {
      config: {},
      inputs: { records: { train: 'train', test: 'test' } },
      outputs: { records: { train: 'o', test: 'e' } },
    }),
  ).rejects.toMatchObject({
    code: 'bad',
    message: 'test: it is bad',
    help: 'fix it',
    records: [{ id: 'a' }],
  });
});

test('what the parts share is opened once, and disposed of after the last', async () => {
  await using rig = await openStageRig();
  for (const name of ['a', 'b']) await rig.writeRecords(name, []);
  const events: string[] = [];
  const sharing = implementStage<Record<string, never>>()({
    inputs: { records: 'records' },
    outputs: { records: 'records' },
    async run({ part, once }) {
      const base = await once('base', async () => {
        events.push('opened');
        return { dispose: () => void events.push('disposed') };
      });
      events.push(`${part} ${typeof base}`);
    },
  });
  await rig.run(sharing, {
    config: {},
    inputs: { records: { a: 'a', b: 'b' } },
    outputs: { records: { a: 'out-a', b: 'out-b' } },
  });
  expect(events).toEqual(['opened', 'a object', 'b object', 'disposed']);
});
