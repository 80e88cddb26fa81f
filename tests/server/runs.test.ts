import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openCliRig } from '../cli/rig.ts';
import { openUi, type UiRig, uiProject } from './rig.ts';

/** Reads the events of a run until `until` says that they are enough, or the stream ends. */
async function follow(
  ui: UiRig,
  run: string,
  until: (text: string) => boolean = () => false,
): Promise<string> {
  const answer = await fetch(new URL(`api/runs/${run}/events`, ui.base), {
    headers: { authorization: `Bearer ${ui.token}` },
  });
  let text = '';
  for await (const piece of (answer.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (until(text)) break;
  }
  return text;
}

const longRun = { pipeline: 'small.yaml', params: { epochs: '100000' }, stages: ['train'] };
const isTraining = (text: string): boolean => text.includes('"loss":');

const outcomeOf = async (ui: UiRig, run: string): Promise<unknown> =>
  (await ui.get<{ run: { outcome: string } }>(`runs/${run}`)).run.outcome;

async function waitFor(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(50);
}

test('a run that is started in the page tells what it does, and leaves its record alone', async () => {
  await using cli = await openCliRig(uiProject);
  await using ui = await openUi(cli);
  const { status, body } = await ui.send<{ run: string }>('POST', 'runs', {
    pipeline: 'small.yaml',
    params: { epochs: '3' },
    stages: ['train'],
  });
  expect(status).toBe(201);
  const text = await follow(ui, body.run);
  const events = [...text.matchAll(/^event: events\ndata: (.*)$/gm)].flatMap(([, data = '']) =>
    JSON.parse(data),
  );
  expect(events[0]).toMatchObject({
    type: 'run-started',
    stages: ['base', 'load', 'format', 'tokenize', 'collate', 'train'],
  });
  const records = [...text.matchAll(/^event: run\ndata: (.*)$/gm)].map(([, data = '']) => JSON.parse(data));
  expect(records.map(({ outcome, stages }) => [outcome, stages.train?.decision])).toEqual([
    ['running', undefined],
    ['succeeded', 'ran'],
  ]);
  expect(text).toMatch(/event: end\ndata: succeeded\n\n$/);
  const files = await readdir(join(cli.folder, 'artifacts/runs'));
  expect(files).toEqual([`${body.run}.json`]);
  const { rows, columns } = await ui.get<{ rows: { run: string }[]; columns: { name: string }[] }>('runs');
  expect([rows.map(({ run }) => run), columns.map(({ name }) => name)]).toEqual([
    [body.run],
    ['validation_loss'],
  ]);
  const drawings = await ui.get<{ title: string; svg: string }[]>(`runs/${body.run}/drawings`);
  expect(drawings.map(({ title }) => title)).toEqual(['Losses of train']);
  // Nothing ran, so there is nothing to tell.
  await cli.tuneloom('run', 'small.yaml', 'train', '-p', 'epochs=3');
  expect((await readdir(join(cli.folder, 'artifacts/runs'))).every((name) => name.endsWith('.json'))).toBe(
    true,
  );
});

test('a run of a terminal is seen and stopped in the page', async () => {
  await using cli = await openCliRig(uiProject);
  await using ui = await openUi(cli);
  const terminal = cli.start('run', 'small.yaml', 'train', '-p', 'epochs=100000');
  await waitFor(async () => (await ui.get<{ rows: object[] }>('runs')).rows.length === 1);
  const { rows } = await ui.get<{ rows: { run: string; state: string }[] }>('runs');
  const run = rows[0]?.run ?? '';
  expect(rows[0]?.state).toBe('running');
  await follow(ui, run, isTraining);
  const drawings = await ui.get<{ title: string }[]>(`runs/${run}/drawings`);
  expect(drawings.map(({ title }) => title)).toEqual(['Losses of train']);
  expect((await ui.send('POST', `runs/${run}/stop`)).body).toEqual({ asked: true });
  expect((await terminal).exitCode).toBe(130);
  expect(await outcomeOf(ui, run)).toBe('interrupted');
  expect((await ui.send('POST', `runs/${run}/stop`)).body).toEqual({
    error: { code: 'not-running', message: 'the run has already ended' },
  });
});

test('a killed run is shown with what it told', async () => {
  await using cli = await openCliRig(uiProject);
  await using ui = await openUi(cli);
  const terminal = cli.start('run', 'small.yaml', 'train', '-p', 'epochs=100000');
  await waitFor(async () => (await ui.get<{ rows: object[] }>('runs')).rows.length === 1);
  const run = (await ui.get<{ rows: { run: string }[] }>('runs')).rows[0]?.run ?? '';
  await follow(ui, run, isTraining);
  terminal.kill('SIGKILL');
  await terminal;
  const text = await follow(ui, run);
  expect([isTraining(text), /event: end\ndata: killed\n\n$/.test(text)]).toEqual([true, true]);
});

test('mistakes of a pipeline are told, and nothing runs', async () => {
  await using cli = await openCliRig(uiProject);
  await using ui = await openUi(cli);
  await cli.write('small.yaml', uiProject['small.yaml'].replace('epochs: 2', 'epochs: many'));
  const { pipelines } = await ui.get<{ pipelines: { file: string; problems: string[] }[] }>('project');
  expect(pipelines.map(({ file, problems }) => [file, problems.length])).toEqual([['small.yaml', 1]]);
  const { status, body } = await ui.send('POST', 'runs', { pipeline: 'small.yaml', params: {}, stages: [] });
  expect([status, (body.error as { code: string }).code]).toEqual([400, 'bad-pipeline']);
  expect(existsSync(join(cli.folder, 'artifacts/runs'))).toBe(false);
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  'on %s the server ends with exit code 0, and its runs are stopped in order',
  async (signal) => {
    await using cli = await openCliRig(uiProject);
    await using ui = await openUi(cli);
    const { body } = await ui.send<{ run: string }>('POST', 'runs', longRun);
    await follow(ui, body.run, isTraining);
    // An open stream of events does not hold the server.
    const following = follow(ui, body.run).catch(() => '');
    expect(await ui.end(signal)).toBe(0);
    await following;
    const record = JSON.parse(await readFile(join(cli.folder, `artifacts/runs/${body.run}.json`), 'utf8'));
    expect(record.outcome).toBe('interrupted');
    // What it has learned is kept for the next run.
    expect((await readdir(join(cli.folder, 'artifacts/state'))).length).toBe(1);
  },
);

test('runs of another project in the same store are neither shown nor stopped', async () => {
  await using cli = await openCliRig({ ...uiProject, 'other/other.yaml': uiProject['small.yaml'] });
  const store = join(cli.folder, 'store');
  await cli.tuneloom('run', 'small.yaml', 'load', '--store', store);
  const record = (await readdir(join(store, 'runs')))[0] ?? '';
  await using elsewhere = await openCliRig({ ...uiProject, 'third.yaml': uiProject['small.yaml'] });
  await elsewhere.write('small.yaml', 'params: {}\n');
  await using ui = await openUi(elsewhere, '--store', store);
  expect((await ui.get<{ rows: object[] }>('runs')).rows).toEqual([]);
  const { status } = await ui.send('POST', `runs/${record.replace('.json', '')}/stop`);
  expect(status).toBe(404);
});
