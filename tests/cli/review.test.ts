import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseReply } from '../../src/cli/review/review.ts';
import { type CliRig, openCliRig } from './rig.ts';

const project = {
  'package.json': '{}',
  'rows.jsonl': ['one', 'two', 'three']
    .map((word) => `${JSON.stringify({ instruction: `Count ${word}.`, output: word })}\n`)
    .join(''),
  'small.yaml': `name: small
stages:
  base:
    uses: load
    with: { init: { context_length: 64, width: 16, layers: 1, heads: 2, encoding: r50k_base } }
  load:
    with: { records: rows.jsonl }
  format:
    from: load
    with: { template: { prompt: "{{ instruction }}", response: "{{ output }}" } }
  generate:
    from: { model: base, prompts: format }
    with: { max_new_tokens: 3 }
`,
};

async function review(rig: CliRig, replies: string, ...options: string[]) {
  const running = rig.start('review', 'small.yaml', 'generate', '--rater', 'ada', ...options);
  running.stdin?.end(replies);
  return running;
}

const ratingsIn = async (rig: CliRig) =>
  (await readFile(join(rig.folder, 'small.generate.ratings.csv'), 'utf8'))
    .split('\n')
    .slice(1, -1)
    .map((line) => line.split(',').slice(1, 4));

test('a review continues where it stopped, and evaluate reads its ratings', async () => {
  await using rig = await openCliRig(project);
  expect((await rig.tuneloom('run', 'small.yaml')).exitCode).toBe(0);

  const first = await review(rig, '80 well done\n101\ns\nq\n');
  expect(first.exitCode).toBe(0);
  expect(first.stdout).toContain('1 of 3\n  instruction  Count one.\n  expected     one\n  given ');
  expect(first.stderr).toBe('101 is not between 0 and 100');
  expect(await ratingsIn(rig)).toEqual([['ada', '80', 'well done']]);

  // The second answer is the first without a rating: a note alone, back to the first, over the second, then the third.
  const second = await review(rig, 'n too long\nb\n70\ns\n20\n');
  expect(second.stdout).toMatch(
    /2 of 3[\s\S]*2 of 3[\s\S]*your rating {2}too long[\s\S]*1 of 3[\s\S]*your rating {2}80 · well done/,
  );
  expect(await ratingsIn(rig)).toEqual([
    ['ada', '70', 'well done'],
    ['ada', '', 'too long'],
    ['ada', '20', ''],
  ]);

  await rig.write(
    'small.yaml',
    `${project['small.yaml']}  ratings:
    uses: load
    with: { records: small.generate.ratings.csv }
  evaluate:
    from: { responses: generate, ratings: ratings }
    with: { metrics: [human_rating] }
`,
  );
  const run = await rig.tuneloom('run', 'small.yaml');
  expect(run.stdout).toMatch(/human_rating\s+45/);
  expect(run.stdout).toContain('human_rating leaves out 1 of 3 responses: nobody has rated it');
});

test('--json gives each answer and the summary as NDJSON', async () => {
  await using rig = await openCliRig(project);
  await rig.tuneloom('run', 'small.yaml');
  const { stdout } = await review(rig, '1\n', '--json', '--scale', '1-5', '--to', 'own.csv');
  const lines = stdout.split('\n').map((line) => JSON.parse(line));
  expect(lines.map(({ place, rated }) => place ?? rated)).toEqual(['1 of 3', '2 of 3', 1]);
  expect(lines.at(-1)).toEqual({ file: join(rig.folder, 'own.csv'), rated: 1, answers: 3 });
});

test('a file without ratings is rejected and not changed', async () => {
  await using rig = await openCliRig({ ...project, 'small.generate.ratings.csv': 'a,b\n1,2\n' });
  await rig.tuneloom('run', 'small.yaml');
  const { exitCode, stderr } = await review(rig, '1\n');
  expect(exitCode).toBe(2);
  expect(stderr).toContain(
    'is not a file of ratings: it has no column key, rater, score, note, prompt, response',
  );
  expect(await readFile(join(rig.folder, 'small.generate.ratings.csv'), 'utf8')).toBe('a,b\n1,2\n');
});

test('only answers can be reviewed', async () => {
  await using rig = await openCliRig(project);
  await rig.tuneloom('run', 'small.yaml');
  const { exitCode, stderr } = await rig.tuneloom('review', 'small.yaml', 'format');
  expect([exitCode, stderr]).toEqual([
    2,
    'error: `format` is of type records, and only one of type responses can be rated\n  help: name a generate stage',
  ]);
});

test.each([
  ['4', { type: 'rate', score: 4, note: undefined }],
  ['4.5  so so ', { type: 'rate', score: 4.5, note: 'so so' }],
  ['', { type: 'skip' }],
  ['B', { type: 'back' }],
  ['quit', { type: 'quit' }],
  ['n  why?', { type: 'note', note: 'why?' }],
  ['-1', { type: 'unclear', problem: '-1 is not between 1 and 5' }],
  ['what', { type: 'unclear', problem: 'type a number from 1 to 5, n and a note, s, b or q' }],
])('the reply %j is understood', (line, reply) => {
  expect(parseReply(line, { lowest: 1, highest: 5 })).toEqual(reply);
});
