import { readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { newTemporaryFolder } from '../../../src/core/index.ts';
import { LiveEvents, readLiveEvents, sweepLiveEvents } from '../../../src/runtime/execute/live-events.ts';
import { openStore, type RunEvent } from '../../../src/runtime/index.ts';

async function newStore() {
  const store = openStore(await newTemporaryFolder('live-'));
  await mkdir(join(store.root, 'runs'));
  return store;
}

const started: RunEvent = { type: 'stage-started', stage: 'train', key: 'k', reason: 'new', attempt: 1 };
const progress = (done: number): RunEvent => ({
  type: 'stage-report',
  stage: 'train',
  report: { type: 'progress', done, unit: 'step' },
});
const note = (message: string): RunEvent => ({
  type: 'stage-report',
  stage: 'train',
  report: { type: 'note', level: 'info', message },
});
const reused: RunEvent = { type: 'stage-reused', stage: 'load', key: 'k' };

test('a run in which no stage runs writes no file', async () => {
  const store = await newStore();
  {
    using live = new LiveEvents(store, 'run');
    live.add(reused);
    expect(await readLiveEvents(store, { run: 'run' })).toBe(undefined);
  }
  expect(readdirSync(join(store.root, 'runs'))).toEqual([]);
});

test('what was reported before the first stage comes first, a reader reads on, and the end removes the file', async () => {
  const store = await newStore();
  const live = new LiveEvents(store, 'run');
  live.add(reused);
  live.add(started);
  const first = await readLiveEvents(store, { run: 'run' });
  expect(first?.events.map(({ at: _, ...event }) => event)).toEqual([reused, started]);
  live.add(note('a'));
  const second = await readLiveEvents(store, { run: 'run', from: first?.next ?? 0 });
  expect(second?.events.map(({ at: _, ...event }) => event)).toEqual([note('a')]);
  live[Symbol.dispose]();
  expect(await readLiveEvents(store, { run: 'run' })).toBe(undefined);
});

test('progress is thinned and notes are limited, whatever a stage reports', async () => {
  const store = await newStore();
  using live = new LiveEvents(store, 'run');
  live.add(started);
  for (let index = 0; index < 20_000; index += 1) {
    live.add(progress(index));
    live.add(note(`${index}`));
  }
  const { size } = statSync(join(store.root, 'runs/run.events.jsonl'));
  expect(size).toBeLessThan(3_000_000);
});

test('half a line, lines that are no events and names that lead elsewhere are not read', async () => {
  const store = await newStore();
  const line = JSON.stringify({ at: 1, ...started });
  writeFileSync(
    join(store.root, 'runs/run.events.jsonl'),
    `${line}\n{"type":1}\nnull\n[]\n{"at":2,"type":"stage-rep`,
  );
  const page = await readLiveEvents(store, { run: 'run' });
  expect(page?.events).toEqual([{ at: 1, ...started }]);
  for (const run of ['../runs/run', 'a\\b', 'x'.repeat(300)])
    expect(await readLiveEvents(store, { run })).toBe(undefined);
});

test('what a killed run left goes with its record', async () => {
  const store = await newStore();
  const path = join(store.root, 'runs/gone.events.jsonl');
  writeFileSync(path, '');
  utimesSync(path, 0, 0);
  await sweepLiveEvents(store, new Date());
  expect(readdirSync(join(store.root, 'runs'))).toEqual([]);
});
