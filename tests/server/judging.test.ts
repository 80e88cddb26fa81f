import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type CliRig, openCliRig } from '../cli/rig.ts';
import { openUi, uiProject } from './rig.ts';

/** The stages of the last run that ran, of a project with judging stages. */
const ranIn = async (cli: CliRig): Promise<readonly string[]> => {
  const { exitCode, stdout, stderr } = await cli.tuneloom('run', 'small.yaml', '--json');
  expect([exitCode, stderr]).toEqual([0, '']);
  const events = stdout.split('\n').map((line) => JSON.parse(line));
  return events.flatMap(({ type, stage }) => (type === 'stage-started' ? [stage] : []));
};

const judgingStages = `  ratings:
    uses: load
    with: { records: small.plain.ratings.csv }
  opinion:
    uses: evaluate
    from: { responses: plain, ratings: ratings }
    with: { metrics: [human_rating] }
  battles:
    uses: load
    with: { records: small.battles.jsonl, as: arena }
  board:
    uses: evaluate
    from: battles
    with: { metrics: [arena], bootstrap: { rounds: 10 } }
`;

test("a person's review and an arena run scores again and nothing else", async () => {
  await using cli = await openCliRig(uiProject);
  expect((await cli.tuneloom('run', 'small.yaml')).exitCode).toBe(0);
  await using ui = await openUi(cli);
  const { rows } = await ui.get<{ rows: { run: string }[] }>('runs');
  const run = rows[0]?.run ?? '';
  const rating = { run, stage: 'plain', rater: 'ada', note: '' };
  expect((await ui.send('PUT', 'review', { ...rating, index: 0, score: 60 })).body).toEqual({ saved: true });
  const arena = { run, first: 'plain', secondRun: run, second: 'loud', judge: 'ada', seed: 1 };
  expect((await ui.send('PUT', 'arena', { ...arena, index: 0, vote: 'tie' })).status).toBe(200);

  await cli.write('small.yaml', uiProject['small.yaml'] + judgingStages);
  expect((await ranIn(cli)).toSorted()).toEqual(['battles', 'board', 'opinion', 'ratings']);
  // Each kind of judgment has its own consequences.
  await ui.send('PUT', 'review', { ...rating, index: 1, score: 80 });
  expect((await ranIn(cli)).toSorted()).toEqual(['opinion', 'ratings']);
  await ui.send('PUT', 'arena', { ...arena, index: 1, vote: 'left' });
  expect((await ranIn(cli)).toSorted()).toEqual(['battles', 'board']);
  expect(await ranIn(cli)).toEqual([]);
  const shown = JSON.parse((await cli.tuneloom('show', 'small.yaml', 'opinion', '--json')).stdout);
  expect(shown.content.metrics[0]).toMatchObject({ metric: 'human_rating', value: 70, count: 2 });
});

test('review shows where a person is, and continues at the first answer without a score', async () => {
  await using cli = await openCliRig(uiProject);
  await cli.tuneloom('run', 'small.yaml', 'plain');
  await using ui = await openUi(cli);
  const { rows } = await ui.get<{ rows: { run: string }[] }>('runs');
  const run = rows[0]?.run ?? '';
  const place = async (rater = 'ada') => {
    const { index, total, rated, firstOpen, before } = await ui.get(
      `review?run=${run}&stage=plain&rater=${rater}`,
    );
    return { index, total, rated, firstOpen, before };
  };
  const put = (index: number, score: number | null, note = '') =>
    ui.send('PUT', 'review', { run, stage: 'plain', rater: 'ada', index, score, note });
  expect(await place()).toEqual({ index: 0, total: 4, rated: 0, firstOpen: 0, before: null });
  await put(0, 50, 'fair');
  await put(1, null, 'unsure, "perhaps"\nlater');
  expect(await place()).toEqual({
    ...{ index: 1, total: 4, rated: 1, firstOpen: 1 },
    before: { score: '', note: 'unsure, "perhaps"\nlater' },
  });
  expect((await place('bob')).before).toBe(null);
  // The command goes on in the same file.
  const review = cli.start('review', 'small.yaml', 'plain', '--rater', 'ada', '--json');
  review.stdin?.end('70\n');
  expect((await review).stdout).toContain('"place":"2 of 4"');
  expect(await place()).toEqual({ index: 2, total: 4, rated: 2, firstOpen: 2, before: null });
  const refusals = [
    await put(9, 1),
    await ui.send('PUT', 'review', { run, stage: 'plain', rater: ' ', index: 0, score: 1, note: '' }),
  ];
  expect(refusals.map(({ status, body }) => [status, body.error])).toEqual([
    [404, { code: 'not-found', message: 'there is no answer 9' }],
    [400, { code: 'bad-request', message: 'a rating needs a rater' }],
  ]);
});

test('two pages and the review command rate at once, and nothing is lost', async () => {
  const words = Array.from({ length: 30 }, (_, index) => `word ${index}`);
  const rows = words.map(
    (word) => `${JSON.stringify({ id: word, instruction: `Say ${word}.`, output: word })}\n`,
  );
  await using cli = await openCliRig({ ...uiProject, 'rows.jsonl': rows.join('') });
  await cli.tuneloom('run', 'small.yaml', 'plain');
  await using one = await openUi(cli);
  await using two = await openUi(cli);
  const run = (await one.get<{ rows: { run: string }[] }>('runs')).rows[0]?.run ?? '';
  const rateAll = (ui: typeof one, rater: string) =>
    Promise.all(
      words.map((_, index) =>
        ui.send('PUT', 'review', { run, stage: 'plain', rater, index, score: index, note: '' }),
      ),
    );
  const command = cli.start('review', 'small.yaml', 'plain', '--rater', 'cyd');
  command.stdin?.end(words.map((_, index) => `${index}\n`).join(''));
  await Promise.all([rateAll(one, 'ada'), rateAll(one, 'bob'), rateAll(two, 'dan'), command]);
  const lines = (await readFile(join(cli.folder, 'small.plain.ratings.csv'), 'utf8'))
    .split('\n')
    .slice(1, -1);
  const given = lines.map((line) => line.split(',').slice(1, 3).join(' ')).toSorted();
  const wanted = ['ada', 'bob', 'cyd', 'dan'].flatMap((rater) =>
    words.map((_, index) => `${rater} ${index}`),
  );
  expect(given).toEqual(wanted.toSorted());
});

test('an arena shows pairs without their models, in the order of its seed, and keeps what the benchmark reads', async () => {
  await using cli = await openCliRig(uiProject);
  await cli.tuneloom('run', 'small.yaml');
  await using ui = await openUi(cli);
  const run = (await ui.get<{ rows: { run: string }[] }>('runs')).rows[0]?.run ?? '';
  const arena = { run, first: 'plain', secondRun: run, second: 'loud', judge: 'ada' };
  interface Shown {
    readonly index: number;
    readonly voted: number;
    readonly before: string | null;
    readonly pair: { prompt: string; expected: string; left: string; right: string };
  }
  const show = (seed: number, index: number) =>
    ui.get<Shown>(`arena?${new URLSearchParams({ ...arena, seed: `${seed}`, index: `${index}` })}`);
  const pairs = async (seed: number) => {
    const all: string[] = [];
    for (let index = 0; index < 4; index += 1) {
      const { pair } = await show(seed, index);
      expect(Object.keys(pair)).toEqual(['prompt', 'expected', 'left', 'right']);
      all.push(`${pair.expected} ${pair.left === pair.expected ? 'plain' : 'loud'}`);
    }
    return all;
  };
  const first = await pairs(1);
  expect(await pairs(1)).toEqual(first);
  expect(await pairs(2)).not.toEqual(first);
  expect(first.map((pair) => pair.split(' ')[0]).toSorted()).toEqual(['four', 'one', 'three', 'two']);

  const vote = (index: number, choice: string) =>
    ui.send('PUT', 'arena', { ...arena, seed: 1, index, vote: choice });
  for (const [index, choice] of ['left', 'right', 'both_bad'].entries()) {
    const isPlainLeft = first[index]?.endsWith('plain');
    expect((await vote(index, choice)).body).toEqual(
      isPlainLeft ? { left: 'plain', right: 'loud' } : { left: 'loud', right: 'plain' },
    );
  }
  expect(await ui.get(`arena?${new URLSearchParams({ ...arena, seed: '1' })}`)).toMatchObject({
    index: 3,
    voted: 3,
  });
  // Another choice on the same pair replaces the first; another seed shows it where the answer then is.
  await vote(0, 'tie');
  const kept = (await readFile(join(cli.folder, 'small.battles.jsonl'), 'utf8')).trim().split('\n');
  const battles = kept.map((line) => JSON.parse(line));
  expect(
    battles.map(({ model_a, model_b, winner, question_id }) => [question_id, model_a, model_b, winner]),
  ).toEqual(
    ['tie', 'model_b', 'tie (bothbad)'].map((winner, index) => {
      const [id, left] = (first[index] ?? '').split(' ');
      return [id, left, left === 'plain' ? 'loud' : 'plain', winner];
    }),
  );
  const board = await ui.get<{ metrics: object[] }>(`arena/board?run=${run}`);
  const official = JSON.parse(
    (await cli.tuneloom('score', 'arena', '--data', 'small.battles.jsonl', '--rounds', '100', '--json'))
      .stdout,
  );
  expect(board.metrics).toEqual(official.metrics);
  expect(
    (await ui.send('PUT', 'arena', { ...arena, second: 'plain', seed: 1, index: 0, vote: 'left' })).body,
  ).toEqual({
    error: {
      code: 'same-answerer',
      message: 'both sides are the answers of the same model',
      help: 'choose another stage, or a run with other weights',
    },
  });
});
