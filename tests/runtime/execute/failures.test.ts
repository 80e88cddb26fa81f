import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeFailure } from '../../../src/cli/reporter/describe-failure.ts';
import type { RunResult } from '../../../src/runtime/execute/run-context.ts';
import type { Failure, RunEvent } from '../../../src/runtime/stage/run-event.ts';
import { decisions, openRig, type RunRig } from '../rig/run-rig.ts';

const failureOf = (result: RunResult, stage: string): Failure | undefined => {
  const outcome = result.stages.get(stage);
  return outcome?.decision === 'failed' ? outcome.failure : undefined;
};

const act = async (rig: RunRig, uses: string, what: string): Promise<RunResult> =>
  rig.run(rig.dag({ act: { uses, with: { act: what } } }));

for (const uses of ['misbehave', 'child-misbehave', 'shared-misbehave']) {
  test(`${uses}: what the user can fix fails with its code, message and help`, async () => {
    await using rig = await openRig();
    const result = await act(rig, uses, 'stage-error');
    expect(result.outcome).toBe('failed');
    expect(failureOf(result, 'act')).toEqual({
      kind: 'stage-error',
      code: 'bad-data',
      message: 'row 3 has no text',
      help: 'remove row 3',
    });
  });

  test(`${uses}: anything else that is thrown is a bug with its stack`, async () => {
    await using rig = await openRig();
    const failure = failureOf(await act(rig, uses, 'bug'), 'act');
    expect(failure).toEqual({
      kind: 'bug',
      message: 'undefined is not a function',
      stack: expect.stringMatching(/^TypeError: undefined is not a function\n {4}at /),
    });
  });

  test(`${uses}: a declared output that was not written is a failure`, async () => {
    await using rig = await openRig();
    expect(failureOf(await act(rig, uses, 'nothing'), 'act')).toEqual({
      kind: 'missing-output',
      output: 'text',
    });
  });

  test(`${uses}: nothing of a failed stage can be seen in the store`, async () => {
    await using rig = await openRig();
    await act(rig, uses, 'stage-error');
    expect(['actions', 'blobs', 'outputs'].filter((name) => existsSync(join(rig.storeRoot, name)))).toEqual(
      [],
    );
    expect(readdirSync(join(rig.storeRoot, 'tmp'))).toEqual([]);
  });

  test(`${uses}: a stage past its timeout is stopped`, async () => {
    await using rig = await openRig();
    const dag = rig.dag({ act: { uses, with: { act: 'deaf' }, timeoutMs: 300 } });
    const result = await rig.run(dag, { graceMilliseconds: 100 });
    expect(failureOf(result, 'act')).toEqual({ kind: 'timeout', milliseconds: 300 });
  });
}

test('a process that the system kills is a failed stage', async () => {
  await using rig = await openRig();
  expect(failureOf(await act(rig, 'child-misbehave', 'kill'), 'act')).toEqual({
    kind: 'killed',
    signal: 'SIGKILL',
    message: 'the system ended the process, most often because memory ran out',
  });
});

test('a process that exits without a message is a failed stage, with the end of its log', async () => {
  await using rig = await openRig();
  const result = await act(rig, 'child-misbehave', 'exit');
  expect(failureOf(result, 'act')).toEqual({ kind: 'exited', exitCode: 7, message: 'about to exit' });
  const outcome = result.stages.get('act');
  const logPath = outcome?.decision === 'failed' ? outcome.logPath : undefined;
  expect(readFileSync(String(logPath), 'utf8')).toBe('about to exit\n');
});

test('a process that serves several stages keeps their logs and reports apart', async () => {
  await using rig = await openRig();
  const stages = ['linger', 'nap', 'exit'].map(
    (what) => [what, { uses: 'shared-misbehave', with: { act: what } }] as const,
  );
  const result = await rig.run(rig.dag(Object.fromEntries(stages)), { jobs: 1 });
  expect(decisions(result)).toEqual({ linger: 'ran', nap: 'ran', exit: 'failed' });
  expect(failureOf(result, 'exit')).toEqual({ kind: 'exited', exitCode: 7, message: 'about to exit' });
  const reported = rig.events.flatMap((event) => (event.type === 'stage-report' ? [event.stage] : []));
  expect(reported.filter((stage) => stage !== 'linger')).toEqual([]);
  const outcome = result.stages.get('exit');
  const logPath = outcome?.decision === 'failed' ? outcome.logPath : undefined;
  expect(readFileSync(String(logPath), 'utf8')).toBe('about to exit\n');
});

test('a process that is still busy after its stage has failed is killed', async () => {
  await using rig = await openRig();
  const result = await act(rig, 'child-misbehave', 'fail-busily');
  expect(failureOf(result, 'act')).toMatchObject({ kind: 'bug', message: 'still busy' });
  expect(result.milliseconds).toBeLessThan(30_000);
});

test('after a failure the next stage gets a new process', async () => {
  await using rig = await openRig();
  const failing = { uses: 'shared-misbehave', with: { act: 'bug' } };
  const dag = rig.dag({ failing, nap: { uses: 'shared-misbehave', with: { act: 'nap' } } });
  const result = await rig.run(dag, { jobs: 1, keepGoing: true });
  expect(decisions(result)).toEqual({ failing: 'failed', nap: 'ran' });
});

test('a run that is aborted before its process has started stops its stage', async () => {
  for (const uses of ['child-misbehave', 'shared-misbehave']) {
    await using rig = await openRig();
    const controller = new AbortController();
    const dag = rig.dag({ act: { uses, with: { act: 'wait' } } });
    const onEvent = ({ type }: RunEvent): void => {
      if (type === 'stage-started') controller.abort();
    };
    const result = await rig.run(dag, { signal: controller.signal, onEvent });
    expect(failureOf(result, 'act')).toEqual({ kind: 'interrupted' });
    expect(result.milliseconds).toBeLessThan(9000);
  }
});

test('of a log that is longer than a string, the end is shown', async () => {
  await using rig = await openRig();
  const failure = failureOf(await act(rig, 'child-misbehave', 'print-much'), 'act');
  expect(failure).toEqual({ kind: 'exited', exitCode: 7, message: `${'\n'.repeat(19)}about to exit` });
});

test('a process that ends in silence and without an answer is a failed stage', async () => {
  await using rig = await openRig();
  const failure = failureOf(await act(rig, 'child-misbehave', 'exit-silently'), 'act');
  expect(failure).toEqual({ kind: 'exited', exitCode: 0, message: '' });
  expect(failure && describeFailure(failure)).toEqual({ message: 'its process ended with exit code 0' });
});

test('a stage process that cannot start is a failed stage', async () => {
  await using rig = await openRig();
  const dag = rig.dag({ act: { uses: 'child-misbehave', with: { act: 'fine' } } });
  const result = await rig.run(dag, { stageProcess: join(rig.folder, 'absent.mjs') });
  expect(failureOf(result, 'act')).toMatchObject({ kind: 'exited', exitCode: 1 });
});

test('what depends on a failed stage is skipped with the reason, and so is the rest', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  const dag = rig.dag({
    act: { uses: 'misbehave', with: { act: 'bug' } },
    near: { uses: 'append', from: { text: 'act.text' } },
    far: { uses: 'count', from: { text: 'near.text' } },
    read: { uses: 'read', with: { path: 'letters.txt' } },
    count: { uses: 'count', from: { text: 'read.text' } },
  });
  const stopped = await rig.run(dag, { jobs: 1 });
  expect(
    [...stopped.stages].map(([id, end]) => [id, end.decision === 'skipped' ? end.because : end.decision]),
  ).toEqual([
    ['act', 'failed'],
    ['near', 'upstream `act` failed'],
    ['far', 'upstream `act` failed'],
    ['read', 'the run stopped when `act` failed'],
    ['count', 'the run stopped when `act` failed'],
  ]);
  const kept = await rig.run(dag, { jobs: 1, keepGoing: true });
  expect(decisions(kept)).toEqual({
    act: 'failed',
    near: 'skipped',
    far: 'skipped',
    read: 'ran',
    count: 'ran',
  });
});

test('a retried stage finds the state that its last attempt kept', async () => {
  await using rig = await openRig();
  const result = await rig.run(rig.dag({ resume: { uses: 'resume', with: { goal: 2 }, retries: 1 } }));
  expect(await rig.text(result, 'resume')).toBe('counted 2');
  expect(rig.events.map(({ type }) => type)).toEqual([
    'run-started',
    'stage-started',
    'stage-retried',
    'stage-started',
    'stage-finished',
    'run-finished',
  ]);
  expect(readdirSync(join(rig.storeRoot, 'state'))).toEqual([]);
});

test('a later run finds the state that a failed one kept', async () => {
  await using rig = await openRig();
  const dag = rig.dag({ resume: { uses: 'resume', with: { goal: 3 } } });
  expect(failureOf(await rig.run(dag), 'resume')).toMatchObject({ message: 'at 1 of 3' });
  expect(failureOf(await rig.run(dag), 'resume')).toMatchObject({ message: 'at 2 of 3' });
  expect(await rig.text(await rig.run(dag), 'resume')).toBe('counted 3');
});

test('the state of a failed stage is discarded after thirty days without use', async () => {
  await using rig = await openRig();
  const dag = rig.dag({ resume: { uses: 'resume', with: { goal: 9 } } });
  await rig.run(dag);
  const state = join(rig.storeRoot, 'state');
  const [key = ''] = readdirSync(state);
  const [attempt = ''] = readdirSync(join(state, key));
  const other = rig.dag({ act: { uses: 'misbehave', with: { act: 'fine' } } });
  const age = (days: number): void => {
    const date = new Date(Date.now() - days * 24 * 60 * 60 * 1000);
    utimesSync(join(state, key, attempt), date, date);
  };
  age(29);
  await rig.run(other);
  expect(readdirSync(state)).toEqual([key]);
  age(31);
  await rig.run(other);
  expect(readdirSync(state)).toEqual([]);
});

test('a stage in a separate process reports to the run, and its measurements are in the record', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  const result = await rig.run(
    rig.dag({
      read: { uses: 'read', with: { path: 'letters.txt' } },
      copy: { uses: 'child-copy', from: { text: 'read.text' } },
    }),
  );
  expect(await rig.text(result, 'copy')).toBe('abc');
  expect(rig.events.find(({ type }) => type === 'stage-report')).toEqual({
    type: 'stage-report',
    stage: 'copy',
    report: { type: 'note', level: 'info', message: 'copying' },
  });
  expect(result.stages.get('copy')).toMatchObject({ measurements: { process: expect.any(Number) } });
  expect(result.stages.get('copy')).not.toMatchObject({ measurements: { process: process.pid } });
});

test('a source that changes while its stage runs fails the stage, and nothing is recorded', async () => {
  await using rig = await openRig();
  const path = await rig.write('letters.txt', 'abc');
  const dag = rig.dag({ meddle: { uses: 'meddle', with: { path: 'letters.txt' } } });
  expect(failureOf(await rig.run(dag), 'meddle')).toEqual({ kind: 'source-changed', path });
  expect(existsSync(join(rig.storeRoot, 'actions'))).toBe(false);
});

test('a source that is gone before it is read has changed', async () => {
  await using rig = await openRig();
  const path = await rig.write('letters.txt', 'abc');
  const dag = rig.dag({ lose: { uses: 'lose', with: { path: 'letters.txt' } } });
  expect(failureOf(await rig.run(dag), 'lose')).toEqual({ kind: 'source-changed', path });
});

test('a folder that holds the store is refused as a source before anything runs', async () => {
  await using rig = await openRig();
  mkdirSync(join(rig.folder, 'inner'));
  symlinkSync(rig.folder, join(rig.folder, 'inner', 'back'));
  for (const path of ['.', 'inner/back']) {
    const dag = rig.dag({ read: { uses: 'read', with: { path } } });
    const source = join(rig.folder, path);
    const message = `\`${source}\` holds the store \`${rig.storeRoot}\`, so every run would change it`;
    await expect(rig.run(dag)).rejects.toThrow(message);
    await expect(rig.plan(dag)).rejects.toThrow(message);
  }
  expect(existsSync(rig.storeRoot)).toBe(false);
});

test('a full disk is a failure of the storage, not a bug', async () => {
  await using rig = await openRig();
  expect(failureOf(await act(rig, 'child-misbehave', 'fill-disk'), 'act')).toMatchObject({
    kind: 'storage',
    code: 'ENOSPC',
  });
});

test('a store that cannot be written is an error before anything runs', async () => {
  await using rig = await openRig();
  await rig.write('store', 'a file where the store should be');
  const dag = rig.dag({ act: { uses: 'misbehave', with: { act: 'fine' } } });
  await expect(rig.run(dag)).rejects.toThrow(`the store ${rig.storeRoot} cannot be used: `);
});

test('the error of a stage that takes more memory than its limit says so', async () => {
  await using rig = await openRig();
  const dag = rig.dag({ act: { uses: 'child-misbehave', with: { act: 'fill-heap' } } });
  const result = await rig.run(dag, { resources: { memory: 32 * 2 ** 20 } });
  expect(failureOf(result, 'act')).toMatchObject({
    kind: 'killed',
    message: 'the JavaScript heap ran out of memory',
  });
});
