import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { type Explanation, explainStage } from '../../../src/runtime/plan/explain-stage.ts';
import { planPipeline } from '../../../src/runtime/plan/plan-pipeline.ts';
import { decisions, openRig, type RunRig } from '../rig/run-rig.ts';
import type { TinyPipeline } from '../rig/tiny-dag.ts';
import { count, tinyRegistry } from '../rig/tiny-stages.ts';

const stages = (suffix = '!', path = 'letters.txt'): TinyPipeline['stages'] => ({
  read: { uses: 'read', with: { path } },
  append: { uses: 'append', with: { suffix }, from: { text: 'read.text' } },
  count: { uses: 'count', from: { text: 'append.text' } },
});

/** Every file below a folder with its content. */
const snapshot = (folder: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== 'stat-cache.bin')
      .map((entry) => [
        join(entry.parentPath, entry.name),
        readFileSync(join(entry.parentPath, entry.name), 'latin1'),
      ]),
  );

async function explain(
  rig: RunRig,
  request: { stages: TinyPipeline['stages']; stage: string },
): Promise<Explanation> {
  const explained = await explainStage({
    dag: rig.dag(request.stages),
    store: rig.open(),
    stage: request.stage,
  });
  if (!explained.ok) throw new Error('not explained');
  return explained.value;
}

/** The tiny pipelines' spans hold the stage and the pointer that they stand for. */
const places = ({ differences }: Explanation): readonly string[] =>
  differences.map(({ span }) => span.file.text);

test('plan and explain change nothing but the stat cache, and make no store', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  expect(await rig.plan(rig.dag(stages()))).toEqual({
    read: 'it has not run before',
    append: 'waits for read',
    count: 'waits for append',
  });
  expect(existsSync(rig.storeRoot)).toBe(false);
  await rig.run(rig.dag(stages()));
  const before = snapshot(rig.folder);
  await rig.plan(rig.dag(stages('?')));
  await explain(rig, { stages: stages('?'), stage: 'count' });
  expect(snapshot(rig.folder)).toEqual(before);
});

test('explain compares with the latest run of the stage, field by field, with places', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  await rig.run(rig.dag(stages('!')));
  await rig.run(rig.dag(stages('!!')));
  const explanation = await explain(rig, { stages: stages('?'), stage: 'append' });
  expect(explanation.differences).toMatchObject([
    { kind: 'config', pointer: '/suffix', before: '!!', after: '?' },
  ]);
  expect(places(explanation)).toEqual(['append/suffix']);
  expect(explanation.comparedWith?.provenance).toMatchObject({ pipeline: 'tiny', stage: 'append' });
});

test('explain says what a stage waits for, and what differs already', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  await rig.run(rig.dag(stages()));
  await rig.write('letters.txt', 'abcd');
  const explanation = await explain(rig, { stages: stages('?'), stage: 'append' });
  expect(explanation.decision).toEqual({ kind: 'undecided', waitsFor: ['read'], unresolved: [] });
  expect(places(explanation)).toEqual(['append/suffix']);
  const reader = await explain(rig, { stages: stages('?'), stage: 'read' });
  expect(reader.differences).toMatchObject([{ kind: 'source', pointer: '/path' }]);
});

test('explain of a stage that would be reused finds no difference; of a new one, nothing to compare with', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  const fresh = await explain(rig, { stages: stages(), stage: 'read' });
  expect([fresh.decision.kind, fresh.comparedWith, fresh.differences]).toEqual(['run', undefined, []]);
  await rig.run(rig.dag(stages()));
  const reused = await explain(rig, { stages: stages(), stage: 'count' });
  expect([reused.decision.kind, reused.differences]).toEqual(['reuse', []]);
});

test('a stage that never ran is compared with the latest that uses the same stage', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  await rig.run(rig.dag(stages()));
  const other: TinyPipeline['stages'] = {
    read: { uses: 'read', with: { path: 'letters.txt' } },
    another: { uses: 'append', with: { suffix: '#' }, from: { text: 'read.text' } },
  };
  expect(await rig.plan(rig.dag(other))).toEqual({ read: 'reuse', another: 'it has not run before' });
  const explanation = await explain(rig, { stages: other, stage: 'another' });
  expect(explanation.comparedWith?.provenance.stage).toBe('append');
  expect(explanation.differences).toMatchObject([
    { kind: 'config', pointer: '/suffix', before: '!', after: '#' },
  ]);
});

test('a stage that never ran is not compared with one that is not similar', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  await rig.write('more.txt', 'abcd');
  await rig.run(rig.dag(stages()));
  const other: TinyPipeline['stages'] = {
    read: { uses: 'read', with: { path: 'more.txt' } },
    another: { uses: 'append', with: { suffix: '#', a: 1, b: 2, c: 3 }, from: { text: 'read.text' } },
  };
  await rig.run(rig.dag(other), { targets: ['read'] });
  const explanation = await explain(rig, { stages: other, stage: 'another' });
  expect([explanation.decision, explanation.comparedWith, explanation.differences]).toMatchObject([
    { kind: 'run', reason: { kind: 'never-ran' } },
    undefined,
    [],
  ]);
});

test('targets are run with all that they need, and with nothing else', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  expect(decisions(await rig.run(rig.dag(stages()), { targets: ['append'] }))).toEqual({
    read: 'ran',
    append: 'ran',
  });
});

test('a forced stage runs although it could be reused, and its result decides what follows', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  await rig.run(rig.dag(stages()));
  const forced = await rig.run(rig.dag(stages()), { force: ['append'] });
  expect(decisions(forced)).toEqual({ read: 'reused', append: 'ran', count: 'reused' });
  expect(forced.stages.get('append')).toMatchObject({ reason: 'forced' });
});

test('a record from before a stage had an output does not count as its result', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  await rig.run(rig.dag(stages()));
  const grown = {
    ...count,
    ports: (config: JsonObject) => {
      const { inputs, outputs } = count.ports(config);
      return { inputs, outputs: { ...outputs, digits: { type: 'text' } } };
    },
  };
  const registry = new Map([...tinyRegistry, ['count', grown]]);
  expect((await rig.plan(rig.dag(stages(), { registry }))).count).toBe(
    'its output `digits` is no longer in the store',
  );
});

test('an unknown target is an error with a suggestion', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  const plan = await planPipeline({ dag: rig.dag(stages()), store: rig.open(), targets: ['apend'] });
  expect(plan).toEqual({
    ok: false,
    error: [
      {
        code: 'unknown-stage',
        message: 'the pipeline tiny has no stage `apend`',
        help: 'did you mean `append`?',
      },
    ],
  });
});

test('a missing source is an error at its place in the pipeline', async () => {
  await using rig = await openRig();
  const plan = await planPipeline({ dag: rig.dag(stages()), store: rig.open() });
  expect(plan.ok ? [] : plan.error.map(({ code, span }) => [code, span?.file.text])).toEqual([
    ['unreadable-source', 'read/path'],
  ]);
});
