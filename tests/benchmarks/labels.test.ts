import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import theirs from '../fixtures/benchmarks/labels.json' with { type: 'json' };
import statistics from '../fixtures/benchmarks/statistics.json' with { type: 'json' };
import superGlue from '../fixtures/benchmarks/super-glue.json' with { type: 'json' };
import { jsonLines, realData, score, tsv, valuesOf } from './score-rig.ts';

/** Some labels are wrong by one class, some by two, as in labels.py. */
const shifted = (gold: readonly string[], classes: readonly string[]): readonly string[] =>
  gold.map((label, i) => {
    const by = (i % 5 === 0 ? 1 : 0) + (i % 7 === 0 ? 1 : 0);
    return classes[(classes.indexOf(label) + by) % classes.length] ?? '';
  });

const submission = (labels: readonly (string | number)[]) =>
  tsv('predictions.tsv', [['index', 'prediction'], ...labels.map((label, index) => [index, label])]);

const linesOf = async (path: string) =>
  (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');

const lackOf = (path: string): string =>
  realData(path) ? '' : ` (skipped: ../shared/data/${path} is absent)`;

const glueFiles = [
  { name: 'glue/cola', path: 'glue/CoLA/dev.tsv', header: 0 },
  { name: 'glue/sst-2', path: 'glue/SST-2/dev.tsv', header: 1 },
] as const;

const superGlueFiles = [
  {
    name: 'superglue/cb',
    path: 'superglue/CB/val.jsonl',
    classes: ['entailment', 'contradiction', 'neutral'],
  },
  { name: 'superglue/rte', path: 'superglue/RTE/val.jsonl', classes: ['entailment', 'not_entailment'] },
  { name: 'superglue/wsc', path: 'superglue/WSC/val.jsonl', classes: ['true', 'false'] },
] as const;

describe('GLUE', () => {
  for (const { name, path, header } of glueFiles)
    test.skipIf(!realData(path))(`${name} agrees with scikit-learn on real data${lackOf(path)}`, async () => {
      const data = realData(path) ?? '';
      const gold = (await linesOf(data)).slice(header).map((line) => line.split('\t')[1] ?? '');
      const scores = await score(name, { data, predictions: submission(shifted(gold, ['0', '1'])) });
      expect(scores.metrics.map(({ count }) => count)).toEqual([gold.length]);
      for (const [metric, value] of Object.entries(theirs[name]))
        expect(valuesOf(scores)[metric]).toBeCloseTo(value, 12);
    });

  test('STS-B is Pearson and Spearman of the scores, as scipy takes them', async () => {
    const { x, y, pearson, spearman } = statistics;
    const data = tsv('dev.tsv', [['index', 'score'], ...x.map((value, index) => [index, value])]);
    const scores = await score('glue/sts-b', { data, predictions: submission(y) });
    expect(valuesOf(scores).pearson).toBeCloseTo(pearson, 12);
    expect(valuesOf(scores).spearman).toBeCloseTo(spearman, 12);
  });

  test('MRPC is accuracy and F1 of the paraphrases', async () => {
    const gold = [1, 1, 1, 0, 0, 1];
    const data = tsv('dev.tsv', [['Quality', '#1 ID'], ...gold.map((label, index) => [label, index])]);
    const scores = await score('glue/mrpc', { data, predictions: submission([1, 0, 1, 1, 0, 1]) });
    // 3 found, 1 missed, 1 too many.
    expect(valuesOf(scores)).toEqual({ accuracy: 4 / 6, f1: 6 / 8 });
    expect(
      scores.metrics.map(({ metric, standard_error, interval }) => [
        metric,
        standard_error,
        interval?.rounds,
      ]),
    ).toEqual([
      ['accuracy', Math.sqrt((6 / 5) * (4 / 6) * (2 / 6)) / Math.sqrt(6), undefined],
      ['f1', undefined, 20],
    ]);
  });

  test.each([
    ['an unknown label', submission([1, 2]), 'predictions.tsv:3: the label is "2"; it must be one of 0, 1'],
    [
      'a missing prediction',
      submission([1]),
      'predictions.tsv: 1 of 2 items have no prediction; the first is 1',
    ],
    ['an item too many', submission([1, 0, 1]), 'predictions.tsv:4: the data has no item 2'],
    [
      'an item twice',
      tsv('p.tsv', [
        ['index', 'prediction'],
        [0, 1],
        [0, 1],
      ]),
      'p.tsv:3: item 0 is already at p.tsv:2',
    ],
    [
      'a ragged row',
      tsv('p.tsv', [['index', 'prediction'], [0]]),
      'p.tsv:2: the row has 1 values where there are 2 columns: index, prediction',
    ],
    [
      'another column',
      tsv('p.tsv', [
        ['index', 'label'],
        [0, 1],
      ]),
      'p.tsv:2: there is no column `prediction`; there are index, label',
    ],
  ])('%s is refused with its place', async (_, predictions, message) => {
    const data = tsv('dev.tsv', [
      ['sentence', 'label'],
      ['good', 1],
      ['bad', 0],
    ]);
    await expect(score('glue/sst-2', { data, predictions })).rejects.toThrow(message);
  });
});

describe('figures that do not exist', () => {
  test('a correlation of equal scores is refused', async () => {
    const data = tsv('dev.tsv', [['score'], [1], [2]]);
    await expect(score('glue/sts-b', { data, predictions: submission([3, 3]) })).rejects.toThrow(
      '`pearson` has no value: all labels or all predictions are equal',
    );
  });

  test('data without items is refused', async () => {
    const data = tsv('dev.tsv', [['sentence', 'label']]);
    await expect(score('glue/sst-2', { data, predictions: submission([]) })).rejects.toThrow(
      'the data has no items',
    );
  });
});

describe('SuperGLUE', () => {
  for (const { name, path, classes } of superGlueFiles)
    test.skipIf(!realData(path))(`${name} agrees with scikit-learn on real data${lackOf(path)}`, async () => {
      const data = realData(path) ?? '';
      const rows = (await linesOf(data)).map((line) => JSON.parse(line));
      const labels = shifted(
        rows.map(({ label }) => String(label)),
        classes,
      );
      const predictions = jsonLines(
        'p.jsonl',
        rows.map(({ idx }, index) => ({ idx, label: labels[index] })),
      );
      const scores = await score(name, { data, predictions });
      for (const [metric, value] of Object.entries(theirs[name]))
        expect(valuesOf(scores)[metric]).toBeCloseTo(value, 12);
    });

  test('a truth value and its name are one label', async () => {
    const data = jsonLines('val.jsonl', [
      { idx: 0, label: true },
      { idx: 1, label: false },
    ]);
    const predictions = jsonLines('p.jsonl', [
      { idx: 1, label: 'true' },
      { idx: 0, label: 'true' },
    ]);
    expect(valuesOf(await score('superglue/boolq', { data, predictions }))).toEqual({ accuracy: 0.5 });
  });

  test('MultiRC is F1 over all answers, macro F1 and exactness over questions', async () => {
    const passage = (labels: readonly (readonly number[])[]) => ({
      idx: 0,
      passage: {
        questions: labels.map((answers, idx) => ({
          idx,
          answers: answers.map((label, at) => ({ idx: at, label })),
        })),
      },
    });
    const scores = await score('superglue/multirc', {
      data: jsonLines('val.jsonl', [
        passage([
          [1, 0, 1],
          [0, 1],
          [0, 0],
        ]),
      ]),
      predictions: jsonLines('p.jsonl', [
        passage([
          [1, 0, 0],
          [0, 1],
          [0, 1],
        ]),
      ]),
    });
    // 2 found, 1 missed, 1 too many; one of three questions is right as a whole.
    expect(valuesOf(scores)).toEqual({
      f1a: 4 / 6,
      f1m: expect.closeTo((2 / 3 + 1 + 1 / 3) / 3, 12),
      exact_match: 1 / 3,
    });
    expect(scores.metrics.map(({ count }) => count)).toEqual([7, 3, 3]);
  });

  test("MultiRC agrees with Hugging Face's evaluate", async () => {
    const { rows, ...figures } = superGlue.multirc;
    const labeled = (label: 'label' | 'predicted') =>
      jsonLines(
        `${label}.jsonl`,
        rows.map((row) => ({
          idx: row.passage,
          passage: {
            questions: [{ idx: row.question, answers: [{ idx: row.answer, label: row[label] }] }],
          },
        })),
      );
    const scores = valuesOf(
      await score('superglue/multirc', { data: labeled('label'), predictions: labeled('predicted') }),
    );
    for (const [name, value] of Object.entries(figures)) expect(scores[name], name).toBeCloseTo(value, 12);
  });

  test.each(['axb', 'axg'] as const)(
    "the diagnostic set %s agrees with Hugging Face's evaluate",
    async (name) => {
      const lines = (field: 'label' | 'predicted') =>
        jsonLines(
          `${field}.jsonl`,
          superGlue.single.map((row, idx) => ({
            idx,
            label: row[field] === 1 ? 'not_entailment' : 'entailment',
            pair_id: Math.floor(idx / 2),
          })),
        );
      const scores = valuesOf(
        await score(`superglue/${name}`, { data: lines('label'), predictions: lines('predicted') }),
      );
      expect(Object.keys(scores)).toEqual(Object.keys(superGlue[name]));
      for (const [metric, value] of Object.entries(superGlue[name]))
        expect(scores[metric], metric).toBeCloseTo(value, 12);
    },
  );

  test('ReCoRD is the best F1 and match over the right entities; a query without a prediction counts 0', async () => {
    const answers = (...texts: string[]) => texts.map((text) => ({ start: 0, end: 1, text }));
    const scores = await score('superglue/record', {
      data: jsonLines('val.jsonl', [
        {
          idx: 0,
          qas: [
            { idx: 0, answers: answers('Tracy Morgan', 'Morgan') },
            { idx: 1, answers: answers('NBC') },
          ],
        },
        {
          idx: 1,
          qas: [
            { idx: 2, answers: answers('Saturday Night Live') },
            { idx: 3, answers: answers('Walmart') },
          ],
        },
      ]),
      predictions: jsonLines('p.jsonl', [
        { idx: 0, label: 'the Morgan' },
        { idx: 1, label: 'CBS' },
        { idx: 2, label: 'Saturday Night' },
        { idx: 9, label: 'x' },
      ]),
    });
    // F1 1, 0, 2 (1 * 2/3) / (1 + 2/3) = 0.8, 0.
    expect(valuesOf(scores)).toEqual({ f1: 1.8 / 4, exact_match: 1 / 4 });
    expect(scores.remarks).toEqual([{ text: 'queries without a prediction, counted 0', ids: ['3'] }]);
    expect(scores.leftOut).toEqual([{ reason: 'predictions for no query of the data', ids: ['9'] }]);
  });
});
