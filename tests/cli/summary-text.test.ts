import { createColors } from 'picocolors';
import { expect, test } from 'vitest';
import type { RunSummary } from '../../src/cli/summary/summarize-run.ts';
import { summaryText } from '../../src/cli/summary/summary-text.ts';

const terminal = {
  print: () => {},
  complain: () => {},
  write: () => {},
  columns: 80,
  width: 80,
  interactive: false,
  colors: createColors(false),
};

const score = (value: number, standard_error?: number) => ({
  metric: 'exact_match',
  value,
  higher_is_better: true,
  count: 40,
  ...(standard_error === undefined ? {} : { standard_error }),
});

const succeeded: RunSummary = {
  pipeline: 'quickstart',
  run: 'r',
  outcome: 'succeeded',
  milliseconds: 12_340,
  ran: ['train', 'after', 'score_after'],
  reused: ['facts', 'format', 'split', 'tokenize', 'collate', 'before', 'score_before'],
  failed: [],
  stopped: [],
  skipped: [],
  trainings: [],
  losses: [
    {
      stage: 'train',
      train: { first: 2.5, last: 0.1234, best: 0.1234, best_step: 108 },
      validation: { first: 2.6, last: 0.6, best: 0.55, best_step: 81 },
    },
  ],
  scores: [
    { stage: 'score_before', metrics: [score(0)] },
    {
      stage: 'score_after',
      metrics: [score(0.973, 0.02), { ...score(1.5), metric: 'perplexity', higher_is_better: false }],
    },
  ],
  answers: [
    {
      question: 'What is the capital of France?',
      expected: 'Paris',
      given: [
        { stage: 'before', response: '\u001b[2J of of of' },
        { stage: 'after', response: 'Paris' },
      ],
    },
  ],
  try_next: [
    'Set `epochs: 12` and run again: only train and what follows it runs, and the validation loss shows that the model overfits.',
  ],
};

test('a summary shows losses, scores side by side, a few answers and what to try next', () => {
  expect(summaryText(succeeded, terminal)).toMatchInlineSnapshot(`
    "Losses
                         first    last    best
      train  train       2.500  0.1234  0.1234  at step 108
             validation  2.600  0.6000  0.5500  at step 81

    Scores
                   score_before     score_after
      exact_match             0  0.9730 ± 0.020
      perplexity                          1.500

    Answers
      What is the capital of France?
        expected  Paris
        before    \\x1b[2J of of of
        after     Paris

    quickstart: 3 stages ran, 7 reused in 12.3 s

    Try next
      - Set \`epochs: 12\` and run again: only train and what follows it runs, and the
        validation loss shows that the model overfits."
  `);
});

test('a failed run says what failed, what helps, where the log is and that the rest is kept', () => {
  const failed: RunSummary = {
    ...succeeded,
    outcome: 'failed',
    ran: ['load'],
    reused: [],
    failed: [
      {
        stage: 'format',
        message: 'record 3 has no field `output`',
        help: 'add it, or map it with `fields`',
        log: '/store/log',
      },
    ],
    skipped: ['split', 'train'],
    losses: [],
    scores: [],
    answers: [],
    try_next: [],
  };
  expect(summaryText(failed, terminal)).toMatchInlineSnapshot(`
    "failed format: record 3 has no field \`output\`
      help: add it, or map it with \`fields\`
      log: /store/log

    quickstart: 1 stage ran, 1 failed, 2 skipped in 12.3 s
    Finished stages are kept: fix the problem and run again to continue from here."
  `);
});

test('an interrupted run says what is kept', () => {
  const interrupted: RunSummary = {
    ...succeeded,
    outcome: 'interrupted',
    losses: [],
    scores: [],
    answers: [],
    try_next: [],
  };
  expect(summaryText(interrupted, terminal)).toMatchInlineSnapshot(`
    "quickstart: 3 stages ran, 7 reused in 12.3 s; interrupted
    Finished stages are kept, and so is the last saved state of a training: run
    again to continue."
  `);
});

test('many evaluations are rows', () => {
  const scores = ['a', 'b', 'c', 'd', 'e'].map((stage, index) => ({ stage, metrics: [score(index / 4)] }));
  const many: RunSummary = { ...succeeded, losses: [], answers: [], try_next: [], scores };
  expect(summaryText(many, terminal)).toMatchInlineSnapshot(`
    "Scores
         exact_match
      a            0
      b       0.2500
      c       0.5000
      d       0.7500
      e        1.000

    quickstart: 3 stages ran, 7 reused in 12.3 s"
  `);
});

test("a sweep's table has the figures of parts beside each other, not one over the other", () => {
  const figures = (value: number) => [
    { ...score(value), of: 'astronomy' },
    { ...score(value + 0.25), of: 'virology' },
  ];
  const points = [0.1, 0.2].map((rate) => ({
    point: `${rate}`,
    params: { rate },
    scores: [{ stage: 'evaluate', metrics: figures(rate) }],
  }));
  expect(
    summaryText({ ...succeeded, losses: [], answers: [], try_next: [], points }, terminal),
  ).toMatchInlineSnapshot(`
    "Scores
      rate  exact_match (astronomy)  exact_match (virology)
      0.1                    0.1000                  0.3500
      0.2                    0.2000                  0.4500

    quickstart: 3 stages ran, 7 reused in 12.3 s"
  `);
});
