import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openCliRig } from '../cli/rig.ts';
import { madeUpBattles } from '../fixtures/benchmarks/made-up-predictions.ts';

const question = (id: string, answers: readonly string[]) => ({
  id,
  question: '?',
  is_impossible: answers.length === 0,
  answers: answers.map((text) => ({ text, answer_start: 0 })),
});

const files = {
  'dev-v2.0.json': JSON.stringify({
    version: 'v2.0',
    data: [
      {
        title: 'Notes',
        paragraphs: [
          {
            context: 'Ada Lovelace wrote the first program.',
            qas: [
              question('q1', ['Ada Lovelace', 'Lovelace']),
              question('q2', ['the first program']),
              question('q3', []),
              question('q4', ['Ada']),
            ],
          },
        ],
      },
    ],
  }),
  'predictions.json': JSON.stringify({ q1: 'lovelace.', q2: 'a program', q3: '', q9: '\u001b[31mred' }),
  'battles.json': JSON.stringify(madeUpBattles()),
};

test('`tuneloom score squad` prints a table, its errors and what was left out', async () => {
  await using rig = await openCliRig(files);
  const call = ['score', 'squad', '--data', 'dev-v2.0.json', '--predictions', 'predictions.json'];
  expect(await rig.tuneloom(...call)).toMatchInlineSnapshot(`
    {
      "exitCode": 0,
      "stderr": "",
      "stdout": "metric        value  error  count
    exact            50   ± 29      4
    f1            66.67   ± 24      4
    HasAns_exact  33.33   ± 33      3
    HasAns_f1     55.56   ± 29      3
    NoAns_exact     100             1
    NoAns_f1        100             1

    ±: the standard error of a mean.
    note: questions without a prediction, counted 0: 1 (q4).
    note: predictions for no question of the data, left out: 1 (q9).",
    }
  `);
});

test('`--json` has the same for a program, with every id', async () => {
  await using rig = await openCliRig(files);
  const call = ['score', 'squad', '--data', 'dev-v2.0.json', '--predictions', 'predictions.json', '--json'];
  expect(JSON.parse((await rig.tuneloom(...call)).stdout)).toMatchInlineSnapshot(`
    {
      "benchmark": "squad",
      "metrics": [
        {
          "count": 4,
          "metric": "exact",
          "standard_error": 28.867513459481287,
          "value": 50,
        },
        {
          "count": 4,
          "metric": "f1",
          "standard_error": 23.570226039551585,
          "value": 66.66666666666666,
        },
        {
          "count": 3,
          "metric": "HasAns_exact",
          "standard_error": 33.33333333333333,
          "value": 33.33333333333333,
        },
        {
          "count": 3,
          "metric": "HasAns_f1",
          "standard_error": 29.397236789606556,
          "value": 55.55555555555555,
        },
        {
          "count": 1,
          "metric": "NoAns_exact",
          "value": 100,
        },
        {
          "count": 1,
          "metric": "NoAns_f1",
          "value": 100,
        },
      ],
      "remarks": [
        {
          "ids": [
            "q4",
          ],
          "text": "questions without a prediction, counted 0",
        },
        {
          "ids": [
            "q9",
          ],
          "text": "predictions for no question of the data, left out",
        },
      ],
    }
  `);
});

test('`tuneloom score arena` prints ratings with intervals, the best model first', async () => {
  await using rig = await openCliRig(files);
  const call = ['score', 'arena', '--data', 'battles.json', '--rounds', '200'];
  expect((await rig.tuneloom(...call)).stdout).toMatchInlineSnapshot(`
    "metric         of   value           error  count
    bradley_terry  dog  1,037  [1,005, 1,070]    200
    bradley_terry  cat  1,032  [994.1, 1,066]    200
    bradley_terry  bee  1,009  [975.9, 1,039]    200
    bradley_terry  elk  1,003  [967.0, 1,037]    200
    bradley_terry  ant  982.5  [944.0, 1,018]    200
    bradley_terry  fox  936.6  [901.3, 972.4]    200
    rank           dog      1          [1, 5]    200
    rank           cat      2          [1, 5]    200
    rank           bee      3          [1, 5]    200
    rank           elk      4          [1, 6]    200
    rank           ant      5          [1, 6]    200
    rank           fox      6          [4, 6]    200
    elo            dog  1,026  [1,002, 1,051]    200
    elo            cat  1,023  [992.7, 1,050]    200
    elo            bee  1,011  [982.1, 1,031]    200
    elo            elk  1,005  [973.1, 1,028]    200
    elo            ant  984.0  [957.7, 1,020]    200
    elo            fox  950.9  [927.7, 982.9]    200
    kendall_tau             1                      6

    [low, high]: 95 % of 200 bootstrap rounds, seed 0.
    note: Elo depends on the order of the battles; kendall_tau says how alike both
    rank."
  `);
});

test('no line is wider than 80 columns', async () => {
  await using rig = await openCliRig(files);
  const list = (await rig.tuneloom('score')).stdout;
  const help = (await rig.tuneloom('score', '--help')).stdout;
  const ratings = (await rig.tuneloom('score', 'arena', '--data', 'battles.json')).stdout;
  const wide = [list, help, ratings]
    .join('\n')
    .split('\n')
    .filter((line) => line.length > 80);
  expect(wide).toEqual([]);
});

test.each([
  [['quad'], 'error: there is no benchmark `quad`\n  help: did you mean `squad`?'],
  [
    ['openai-evals'],
    'error: `openai-evals` has several tasks\n  help: name one of them: openai-evals/match, openai-evals/includes, openai-evals/includes-any-case, openai-evals/fuzzy, openai-evals/json',
  ],
  [
    ['humaneval', '--data', 'problems.jsonl'],
    'error: `humaneval` needs `--predictions`: the results of their tests (JSONL)\n  help: as in `tuneloom score humaneval --data HumanEval.jsonl.gz --predictions samples.jsonl_results.jsonl`',
  ],
  [
    ['arena', '--data', 'battles.json', '--predictions', 'predictions.json'],
    'error: `arena` takes no `--predictions`\n  help: `--data` is all it needs: the battles in their order (JSON or JSONL)',
  ],
  [
    ['squad', '--data', 'dev.json', '--predictions', 'predictions.json'],
    'error: dev.json: there is no such file',
  ],
  [
    ['squad', '--data', 'predictions.json', '--predictions', 'predictions.json'],
    'error: predictions.json has no field `data`; it has q1, q2, q3, q9',
  ],
])('`tuneloom score %s` is refused with a way to fix it', async (words, stderr) => {
  await using rig = await openCliRig(files);
  expect(await rig.tuneloom('score', ...words)).toEqual({ exitCode: 2, stdout: '', stderr });
});

test('an error about a file is JSON with `--json`', async () => {
  await using rig = await openCliRig(files);
  const { stdout, exitCode } = await rig.tuneloom('score', 'arena', '--data', 'predictions.json', '--json');
  expect([exitCode, JSON.parse(stdout)]).toEqual([
    2,
    {
      errors: [
        {
          code: 'bad-value',
          message: `predictions.json must be a list, but is ${files['predictions.json'].slice(0, 100)}`,
        },
      ],
    },
  ]);
});

test('every command of the documentation runs', async () => {
  await using rig = await openCliRig(files);
  const page = await readFile(fileURLToPath(new URL('../../docs/scores.md', import.meta.url)), 'utf8');
  const commands = page.split('\n').filter((line) => line.startsWith('npx tuneloom score'));
  expect(commands.length).toBeGreaterThan(2);
  for (const command of commands) {
    const { exitCode, stderr } = await rig.tuneloom(...command.split(' ').slice(2));
    expect({ command, exitCode, stderr }).toEqual({ command, exitCode: 0, stderr: '' });
  }
});
