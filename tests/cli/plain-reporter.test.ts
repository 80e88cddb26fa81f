import { expect, test } from 'vitest';
import { PlainReporter } from '../../src/cli/reporter/plain-reporter.ts';
import type { RunEvent } from '../../src/runtime/stage/run-event.ts';

/** The output for events at these times, in milliseconds. */
function linesOf(events: readonly (readonly [at: number, event: RunEvent])[]): readonly string[] {
  const lines: string[] = [];
  let time = 0;
  const terminal = { print: (text: string) => void lines.push(text), columns: 40 };
  const reporter = new PlainReporter({ terminal, now: () => time });
  for (const [at, event] of events) {
    time = at;
    reporter.handle(event);
  }
  return lines;
}

const progress = (done: number): RunEvent => ({
  type: 'stage-report',
  stage: 'train',
  report: { type: 'progress', done, total: 100, unit: 'step', figures: { loss: 2 } },
});

test('reused stages share a line, and each stage that runs says why and how it ended', () => {
  expect(
    linesOf([
      [
        0,
        {
          type: 'run-started',
          run: 'r',
          pipeline: 'p',
          stages: ['load', 'format', 'train', 'generate', 'evaluate'],
        },
      ],
      [0, { type: 'stage-reused', stage: 'load', key: 'a' }],
      [0, { type: 'stage-reused', stage: 'format', key: 'b' }],
      [
        0,
        {
          type: 'stage-started',
          stage: 'train',
          key: 'c',
          reason: '`with.epochs` changed from 2 to 3',
          attempt: 1,
        },
      ],
      [
        10,
        {
          type: 'stage-report',
          stage: 'train',
          report: { type: 'note', level: 'warning', message: 'a \u001b[2J b' },
        },
      ],
      [20, { type: 'stage-finished', stage: 'train', key: 'c', milliseconds: 4200, measurements: {} }],
      [
        20,
        { type: 'stage-started', stage: 'generate', key: 'd', reason: 'it has not run before', attempt: 1 },
      ],
      [
        30,
        {
          type: 'stage-retried',
          stage: 'generate',
          attempt: 2,
          failure: { kind: 'timeout', milliseconds: 1000 },
        },
      ],
      [
        40,
        { type: 'stage-failed', stage: 'generate', failure: { kind: 'missing-output', output: 'responses' } },
      ],
      [40, { type: 'stage-skipped', stage: 'evaluate', because: 'generate failed' }],
      [50, { type: 'run-finished', run: 'r', outcome: 'failed', milliseconds: 50 }],
    ]),
  ).toEqual([
    '2 stages reused: load, format',
    'started  train (`with.epochs` changed from 2 to 3)',
    'warning  train: a \\x1b[2J b',
    'done     train in 4.2 s',
    'started  generate (it has not run before)',
    'retrying generate: it ran into its timeout of 1.0 s',
    'failed   generate',
    'skipped  evaluate (generate failed)',
  ]);
});

test('progress is printed at most once in five seconds', () => {
  expect(
    linesOf([
      [0, { type: 'stage-started', stage: 'train', key: 'c', reason: 'forced', attempt: 1 }],
      [1000, progress(10)],
      [4999, progress(49)],
      [5000, progress(50)],
      [6000, progress(60)],
      [9999, progress(90)],
      [10_000, progress(91)],
    ]),
  ).toEqual([
    'started  train (forced)',
    '         train  step 50/100  ETA 5.0 s  loss 2.000',
    '         train  step 91/100  ETA 1.0 s  loss 2.000',
  ]);
});

const note = (level: 'info' | 'warning', message: string): RunEvent => ({
  type: 'stage-report',
  stage: 'train',
  report: { type: 'note', level, message },
});

test('a note takes one line of the width of the terminal; a warning is printed whole', () => {
  expect(
    linesOf([
      [0, note('info', 'epoch 1: loss 2.1')],
      [0, note('info', 'What is\nthe young of the bear? cub')],
      [0, note('info', '小熊小熊小熊小熊小熊小熊小熊小熊')],
      [0, note('warning', 'this is longer than the forty columns of the terminal')],
    ]),
  ).toEqual([
    'note     train: epoch 1: loss 2.1',
    'note     train: What is⏎the young of…',
    'note     train: 小熊小熊小熊小熊小熊小…',
    'warning  train: this is longer than the forty columns of the terminal',
  ]);
});
