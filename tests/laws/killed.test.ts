import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { listRuns } from '../../src/runtime/store/run-records.ts';
import { verifyStore } from '../../src/runtime/store/verify-store.ts';
import { decisions, openRig, type RunRig } from '../runtime/rig/run-rig.ts';
import { startRun } from '../runtime/rig/start-run.ts';
import type { TinyPipeline } from '../runtime/rig/tiny-dag.ts';

const waiting: TinyPipeline['stages'] = {
  read: { uses: 'read', with: { path: 'letters.txt' } },
  wait: { uses: 'child-misbehave', with: { act: 'wait' } },
};

/** The number of the waiting stage's process, once it waits. */
async function waitingProcess(rig: RunRig): Promise<number> {
  for (let tries = 0; tries < 1000; tries += 1) {
    const [started] = filesNamed(join(rig.storeRoot, 'state'), 'started');
    const text = started === undefined ? '' : readFileSync(started, 'utf8');
    if (text !== '') return Number(text);
    await sleep(20);
  }
  throw new Error('the stage did not start');
}

/** None where a folder goes while it is listed. */
function filesNamed(folder: string, name: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith(`/${name}`))
      .map((path) => join(folder, path));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);

async function untilGone(pid: number): Promise<void> {
  while (isAlive(pid)) await sleep(20);
}

test('a killed run leaves no process behind, and a store from which the next run continues', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  const run = await startRun(rig, waiting);
  const stage = await waitingProcess(rig);
  run.process.kill('SIGKILL');
  await run.process;
  await untilGone(stage);
  expect((await verifyStore(rig.open())).problems).toEqual([]);

  expect([...listRuns(rig.open())].map(({ outcome }) => outcome)).toEqual(['killed']);

  const next = rig.dag({
    read: waiting.read ?? { uses: 'read' },
    count: { uses: 'count', from: { text: 'read.text' } },
  });
  expect(decisions(await rig.run(next))).toEqual({ read: 'reused', count: 'ran' });
  const left = filesNamed(join(rig.storeRoot, 'state'), 'owner.json');
  expect(left).toEqual([]);
  expect(filesNamed(join(rig.storeRoot, 'state'), 'started')).toHaveLength(1);
});

test('an interrupted run ends its stages, says so and keeps their state', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  const run = await startRun(rig, { ...waiting, count: { uses: 'count', from: { text: 'wait.text' } } });
  const stage = await waitingProcess(rig);
  run.process.kill('SIGINT');
  const { stdout } = await run.process;
  expect(isAlive(stage)).toBe(false);
  expect(JSON.parse(stdout)).toMatchObject({
    read: { decision: 'ran' },
    wait: { decision: 'failed', failure: { kind: 'interrupted' } },
    count: { decision: 'skipped', because: 'the run was interrupted' },
  });
  expect(filesNamed(join(rig.storeRoot, 'state'), 'started')).toHaveLength(1);
  expect(filesNamed(join(rig.storeRoot, 'state'), 'owner.json')).toEqual([]);
});

test('two processes that run the same pipeline on one store both succeed with the right results', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  const stages: TinyPipeline['stages'] = {
    read: { uses: 'read', with: { path: 'letters.txt' } },
    pack: { uses: 'pack', from: { text: 'read.text' } },
    copy: { uses: 'child-copy', from: { text: 'read.text' } },
    unpack: { uses: 'unpack', from: { box: 'pack.box' } },
    join: { uses: 'join', from: { left: 'copy.text', right: 'unpack.text' } },
  };
  const [first, second] = [await startRun(rig, stages), await startRun(rig, stages)];
  const both = [await first.process, await second.process];
  const outputs = both.map(({ stdout }) =>
    Object.entries<{ outputs?: unknown }>(JSON.parse(stdout)).map(([id, outcome]) => [id, outcome.outputs]),
  );
  expect(outputs[0]).toEqual(outputs[1]);
  expect(outputs[0]?.map(([id]) => id)).toEqual(['read', 'pack', 'copy', 'unpack', 'join']);
  expect((await verifyStore(rig.open())).problems).toEqual([]);
  expect(readdirSync(join(rig.storeRoot, 'state'))).toEqual([]);
});

const several: TinyPipeline['stages'] = {
  read: { uses: 'read', with: { path: 'letters.txt' } },
  pack: { uses: 'pack', from: { text: 'read.text' } },
  copy: { uses: 'child-copy', from: { text: 'read.text' } },
  count: { uses: 'count', from: { text: 'copy.text' } },
};

for (const lines of [1, 2, 3, 4, 5, 6, 7]) {
  test(`a run killed after its event ${lines}: the next run succeeds and repeats nothing that was finished`, async () => {
    await using rig = await openRig();
    await rig.write('letters.txt', 'abc');
    const run = await startRun(rig, several);
    const seen: string[] = [];
    for await (const line of run.process.iterable({ from: 'stderr' })) {
      seen.push(String(line));
      if (seen.length === lines) run.process.kill('SIGKILL');
    }
    await run.process;
    const finished = seen
      .filter((line) => line.startsWith('stage-finished'))
      .map((line) => line.split(' ')[1]);
    const next = await rig.run(rig.dag(several));
    expect(next.outcome).toBe('succeeded');
    expect(finished.map((id) => next.stages.get(String(id))?.decision)).toEqual(finished.map(() => 'reused'));
    expect((await verifyStore(rig.open())).problems).toEqual([]);
    expect(readdirSync(join(rig.storeRoot, 'state'))).toEqual([]);
  });
}
