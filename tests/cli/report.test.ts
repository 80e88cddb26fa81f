import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostile, reportProject } from '../browser/report-project.ts';
import { type CliRig, openCliRig } from './rig.ts';

describe('tuneloom report', () => {
  let rig: CliRig;

  beforeAll(async () => {
    rig = await openCliRig(reportProject(20));
    const ran = await rig.tuneloom('run', 'report.yaml');
    expect(ran.exitCode, ran.stdout + ran.stderr).toBe(0);
  }, 60_000);

  afterAll(() => rig?.[Symbol.asyncDispose]());

  it('prints Markdown in which data is nothing but text', async () => {
    const { stdout, exitCode } = await rig.tuneloom('report', '--format', 'md');
    expect(exitCode).toBe(0);
    const blocks = stdout.split('\n\n');
    expect(blocks[0]).toBe('## report');
    expect(blocks[2]).toBe(
      [
        '| metric | scores_1 | scores_2 |',
        '| --- | --- | --- |',
        // Seven of 20 answers are wrong at first, then three; the interval is 1.96 standard errors to each side.
        '| exact_match | 0.6500 (0.4355 to 0.8645) | 0.8500 (0.6894 to 1.000) |',
        stdout.split('\n').find((line) => line.startsWith('| token_f1 |')),
      ].join('\n'),
    );
    expect(blocks[3]).toBe(
      '- train: training loss 3.000 to 0.04918, validation loss 1.400 to 2.600, **overfitting begins at step 20**, kept step 60',
    );
    expect(blocks[4]).toBe('<details><summary>20 answers of answers_1 and answers_2, 7 changed</summary>');
    // The tags of the report itself are the only ones, beside the names that the rig puts for a run and a time.
    expect([...new Set(stdout.match(/<[^>]*>/g))].sort()).toEqual([
      '</code>',
      '</details>',
      '</summary>',
      '<code>',
      '<details>',
      '<run>',
      '<summary>',
      '<time>',
    ]);
    expect(stdout).toContain('&#60;script&#62;');
  });

  it('prints everything as JSON, with the texts as they are', async () => {
    const { stdout } = await rig.start('report', '--json');
    const report = JSON.parse(stdout);
    expect(Object.keys(report)).toEqual([
      ...['format', 'title', 'runs', 'trainings', 'scores', 'answers', 'batches'],
    ]);
    expect(report.answers[0].rows[0]).toEqual({
      id: `${hostile[0]}0`,
      question: `What is 0 times seven? ${hostile[0]}`,
      expected: hostile[0],
      answers: [
        { text: `No idea, said before ${hostile[0]}`, right: false, score: 0 },
        { text: `No idea, said after ${hostile[0]}`, right: false, score: 0 },
      ],
    });
    expect(report.trainings[0].curves.overfitting).toEqual({
      step: 20,
      epoch: 1,
      validation_loss: 1,
      last_validation_loss: 2.6,
    });
  });

  it('writes HTML whose own tags are all that a parser finds, and replaces an earlier report', async () => {
    await rig.write('r.html', 'old');
    const { stdout } = await rig.tuneloom('report', 'report.yaml', '-o', 'r.html');
    expect(stdout).toMatch(/^r\.html: 1 run, 20 answers, \d+ kB$/);
    const html = await readFile(join(rig.folder, 'r.html'), 'utf8');
    expect(html.match(/<\/script>/g)).toHaveLength(3);
    expect(html).not.toContain('<!-- <script>');
    expect(html).not.toMatch(/[\u202a-\u202e\u2028\u2029]/);
    expect(html).not.toMatch(/(?:src|href)="(?!data:,)/);
  });

  it('says what is wrong with a format, a run and a file', async () => {
    const problems = [];
    for (const words of [
      ['-o', 'r.html', '--format', 'md'],
      ['latest', 'latest'],
      ['nothing'],
      ['-o', 'no/such/r.html'],
    ])
      problems.push(await rig.tuneloom('report', ...words));
    expect(problems.map(({ exitCode, stderr }) => [exitCode, stderr.split('\n')[0]])).toEqual([
      [2, 'error: --format is md, and `r.html` is named like html'],
      [2, 'error: the run <run> is named twice'],
      [2, 'error: there is no run `nothing`'],
      [2, 'error: there is no folder `<folder>/no/such` for the file'],
    ]);
  });

  it('reports runs that are alike, of which there is nothing to draw as a sweep', async () => {
    for (let run = 0; run < 3; run++) await rig.tuneloom('run', 'report.yaml');
    const { experiments } = JSON.parse((await rig.start('runs', '--json')).stdout);
    const ids = experiments.slice(0, 3).map(({ run }: { run: string }) => run);
    const { exitCode, stderr } = await rig.tuneloom('report', ...ids, '-o', 'alike.html');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  }, 60_000);
});
