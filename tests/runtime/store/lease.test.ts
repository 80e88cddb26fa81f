import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { parseCacheKey } from '../../../src/runtime/key/key-material.ts';
import { takeLease } from '../../../src/runtime/store/lease.ts';
import { mayBeAlive, thisProcess } from '../../../src/runtime/store/process-identity.ts';
import { decisions, openRig, outputsOf } from '../rig/run-rig.ts';
import { startRun } from '../rig/start-run.ts';
import type { TinyPipeline } from '../rig/tiny-dag.ts';

const key = parseCacheKey('a'.repeat(64));
const never = new AbortController().signal;

test('a lease is held by one process at a time, and is gone when it is released', async () => {
  await using rig = await openRig();
  if (key === undefined) throw new Error('no key');
  const holders: number[] = [];
  const first = await takeLease(rig.open(), {
    key,
    signal: never,
    onWait: ({ pid }) => void holders.push(pid),
  });
  const onWait = ({ pid }: { pid: number }): void => {
    holders.push(pid);
    first[Symbol.asyncDispose]();
  };
  const second = await takeLease(rig.open(), { key, signal: never, onWait });
  expect(holders).toEqual([process.pid]);
  await second[Symbol.asyncDispose]();
  expect(readdirSync(join(rig.storeRoot, 'leases'))).toEqual([]);
});

test('the lease of a process that died is taken over immediately', async () => {
  await using rig = await openRig();
  if (key === undefined) throw new Error('no key');
  mkdirSync(join(rig.storeRoot, 'leases'), { recursive: true });
  for (const dead of [
    { ...thisProcess(), start: 'long ago' },
    { ...thisProcess(), boot: 'before' },
    'torn',
  ]) {
    writeFileSync(join(rig.storeRoot, 'leases', key), JSON.stringify(dead));
    const waits: number[] = [];
    await using _ = await takeLease(rig.open(), {
      key,
      signal: never,
      onWait: ({ pid }) => void waits.push(pid),
    });
    expect(waits).toEqual([]);
  }
});

test.skipIf(process.platform !== 'linux')('a process that ended but was not waited for is dead', async () => {
  // The shell becomes a program that does not wait for its child.
  const parent = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    const [printed] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(printed.toString());
    const status = () => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    while (status()[0] !== 'Z') await new Promise((resolve) => setTimeout(resolve, 10));
    expect(mayBeAlive({ ...thisProcess(), pid, start: status()[19] ?? '' })).toBe(false);
    expect(mayBeAlive(thisProcess())).toBe(true);
  } finally {
    parent.kill('SIGKILL');
  }
});

test('an interruption ends the waiting, and the lease stays with its holder', async () => {
  await using rig = await openRig();
  if (key === undefined) throw new Error('no key');
  await using _ = await takeLease(rig.open(), { key, signal: never, onWait: () => {} });
  const stop = new AbortController();
  const second = await takeLease(rig.open(), { key, signal: stop.signal, onWait: () => stop.abort() });
  await second[Symbol.asyncDispose]();
  expect(existsSync(join(rig.storeRoot, 'leases', key))).toBe(true);
});

test('two stages with the same key run once', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  const dag = rig.dag({
    read: { uses: 'read', with: { path: 'letters.txt' } },
    one: { uses: 'child-copy', from: { text: 'read.text' } },
    two: { uses: 'child-copy', from: { text: 'read.text' } },
    three: { uses: 'append', from: { text: 'read.text' } },
    four: { uses: 'append', from: { text: 'read.text' } },
  });
  const result = await rig.run(dag, { jobs: 4 });
  const count = Object.values(decisions(result)).filter((decision) => decision === 'ran').length;
  expect(count).toBe(3);
});

test('a process waits for another that runs the same stage, and takes its result', async () => {
  await using rig = await openRig();
  const place = rig.folder;
  const slow: TinyPipeline['stages'] = { meet: { uses: 'meet', with: { name: 'a', other: 'b', place } } };
  const other = await startRun(rig, slow);
  while (!existsSync(join(place, 'a'))) await new Promise((resolve) => setTimeout(resolve, 10));
  const mine = await rig.run(rig.dag(slow), {
    onEvent: (event) => {
      if (event.type === 'stage-report') writeFileSync(join(place, 'b'), '');
    },
  });
  const { stdout } = await other.process;
  expect(decisions(mine)).toEqual({ meet: 'reused' });
  expect(JSON.parse(stdout).meet).toMatchObject({ decision: 'ran', outputs: outputsOf(mine).meet });
});

test('a run removes the leases of processes that are gone, and no others', async () => {
  await using rig = await openRig();
  const folder = join(rig.storeRoot, 'leases');
  mkdirSync(folder, { recursive: true });
  const elsewhere = { ...thisProcess(), host: 'elsewhere' };
  const leases = {
    dead: { ...thisProcess(), start: 'long ago' },
    alive: thisProcess(),
    elsewhere,
    'silent-elsewhere': elsewhere,
  };
  for (const [name, holder] of Object.entries(leases))
    writeFileSync(join(folder, name), JSON.stringify(holder));
  const dayBefore = new Date(Date.now() - 25 * 60 * 60 * 1000);
  utimesSync(join(folder, 'silent-elsewhere'), dayBefore, dayBefore);
  await rig.write('letters.txt', 'abc');
  await rig.run(rig.dag({ read: { uses: 'read', with: { path: 'letters.txt' } } }));
  expect(readdirSync(folder).sort()).toEqual(['alive', 'elsewhere']);
});

test('the lease of another host is waited for while it is renewed, and taken over a minute after its last renewal', async () => {
  await using rig = await openRig();
  if (key === undefined) throw new Error('no key');
  const path = join(rig.storeRoot, 'leases', key);
  mkdirSync(join(rig.storeRoot, 'leases'), { recursive: true });
  const elsewhere = { host: 'elsewhere', boot: 'another', pid: 1, start: '1' };
  writeFileSync(path, JSON.stringify(elsewhere));
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    const waits: string[] = [];
    let taken = false;
    const onWait = ({ host }: { host: string }) => void waits.push(host);
    const taking = takeLease(rig.open(), { key, signal: never, onWait }).then((lease) => {
      taken = true;
      return lease;
    });
    // By this host's clock alone: the other's may show any time.
    for (const beat of [1_000, 2_000, 3_000]) {
      utimesSync(path, beat, beat);
      await new Promise((later) => setTimeout(later, 500));
      vi.advanceTimersByTime(50_000);
      await new Promise((later) => setTimeout(later, 500));
      expect([taken, waits]).toEqual([false, ['elsewhere']]);
    }
    vi.advanceTimersByTime(11_000);
    await using _ = await taking;
    expect(readFileSync(path, 'utf8')).toContain(thisProcess().host);
  } finally {
    vi.useRealTimers();
  }
});
