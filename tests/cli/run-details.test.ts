import { createColors } from 'picocolors';
import { expect, test } from 'vitest';
import { runDetails } from '../../src/cli/runs/runs.ts';
import type { Terminal } from '../../src/cli/terminal/terminal.ts';
import type { RunRecord } from '../../src/runtime/index.ts';

const ran = {
  decision: 'ran',
  uses: 'train',
  reason: 'it has not run before',
  outputs: {},
  attempts: 1,
} as const;

const nothing = () => {};
const terminal: Terminal = {
  ...{ print: nothing, write: nothing, complain: nothing },
  ...{ columns: 200, width: 200, interactive: false, colors: createColors(false) },
};

test('a run shows how fast its trainings were and how much memory they took', () => {
  const key = '0'.repeat(64) as never; // any key: it is not shown
  const record: RunRecord = {
    format: 1,
    run: 'a-run',
    pipeline: 'tiny',
    file: 'tiny.yaml',
    params: {},
    overridden: false,
    targets: [],
    startedAt: '2026-01-01T00:00:00.000Z',
    milliseconds: 7000,
    outcome: 'succeeded',
    process: { host: 'h', boot: 'b', pid: 1, start: '1' },
    fingerprint: { node: 'v22', platform: 'linux', arch: 'x64' },
    stages: {
      split: { ...ran, key, milliseconds: 20, measurements: {} },
      train: {
        ...ran,
        key,
        milliseconds: 6000,
        measurements: { steps: 88, tokens_per_second: 25122, peak_memory: 3 * 2 ** 29 },
      },
    },
  };
  const lines = runDetails(record, terminal).split('\n');
  expect(lines.slice(-2)).toEqual([
    '  split  ran in 20 ms: it has not run before',
    '  train  ran in 6.0 s, 25,122 tokens/s, peak memory 1.6 GB: it has not run before',
  ]);
});
