import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ExecutorRig, openExecutorRig, stepsPipeline, tuneloomScript } from './executor-rig.ts';
import { until } from './slurm-cluster.ts';
import { noSshd, type SshServer, startSshd } from './ssh-server.ts';

describe.skipIf(noSshd !== '')(`stages on another machine over a real ssh${noSshd}`, () => {
  let server: SshServer;
  beforeAll(async () => {
    server = await startSshd();
  }, 30_000);
  afterAll(() => server?.[Symbol.asyncDispose]());

  const open = (more: { readonly program?: string; readonly environment?: Record<string, string> } = {}) =>
    openExecutorRig({
      settings: `executors:
  box:
    kind: ssh
    host: ${server.host}
    ssh_options: ${JSON.stringify(server.options)}
    store: ${join(server.home, 'store')}
    program: ${more.program ?? `${process.execPath} ${tuneloomScript}`}
`,
      environment: more.environment ?? {},
    });
  const starts = (rig: ExecutorRig) => rig.trace().filter((line) => line.startsWith('start'));
  const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ');
  const store = (): string => join(server.home, 'store');

  test('files and folders of sources, inputs and outputs travel by digest; what is there is not sent again', async () => {
    await using rig = await open();
    await rig.write('data/words.txt', 'one\ntwo\n');
    await rig.write('folder/a/b.txt', 'deep\n');
    await rig.write('folder/c.txt', 'flat\n');
    const pipeline = `name: travel
stages:
  first:
    uses: shell
    with:
      command: cat $FILE_words $FILE_folder/a/b.txt $FILE_folder/c.txt > $OUT_text; whoami > $OUT_user
      files: { words: data/words.txt, folder: folder }
      outputs: { text: file, user: file }
  second:
    uses: shell
    from: { text: first.text }
    with:
      command: mkdir -p $OUT_made/x && tr a-z A-Z < $IN_text > $OUT_made/x/y.txt && head -c 3000000 /dev/zero > $OUT_made/zeros
      inputs: { text: file }
      outputs: { made: file }
`;
    await rig.write('p.yaml', pipeline);
    const there = await rig.start('run', 'p.yaml', '--executor', 'box', '--json');
    const outputs = {
      text: rig.output('travel/first/text'),
      user: rig.output('travel/first/user').trim(),
      made: rig.output('travel/second/made/x/y.txt'),
      zeros: rig.output('travel/second/made/zeros').length,
    };
    const again = await rig.start('run', 'p.yaml', '--executor', 'box', '--force', 'second', '--json');
    const sent = (text: string): number =>
      text.split('\n').filter((line) => JSON.parse(line).report?.unit === 'byte').length;
    const verified = await rig.start('verify');
    expect({
      ends: [there.exitCode, again.exitCode, verified.exitCode],
      outputs,
      sent: [sent(there.stdout) > 0, sent(again.stdout)],
      left: await readdir(join(store(), 'state')).catch(() => []),
    }).toEqual({
      ends: [0, 0, 0],
      outputs: {
        text: 'one\ntwo\ndeep\nflat\n',
        user: server.user,
        made: 'ONE\nTWO\nDEEP\nFLAT\n',
        zeros: 3_000_000,
      },
      sent: [true, 0],
      left: [],
    });
  }, 60_000);

  test("a user's stage, its progress, its warnings, its log and its secret are as on this machine", async () => {
    await using rig = await open({
      environment: { STEPS_SECRET: 'hunter2hunter2', OTHER_SECRET: 'unnamed' },
    });
    await rig.write('steps.yaml', stepsPipeline(rig.folder, { with: 'milliseconds: 150' }));
    const { stdout, exitCode } = await rig.start('run', 'steps.yaml', '--executor', 'box', '--json');
    const events = stdout.split('\n').map((line) => JSON.parse(line));
    const reports = events.flatMap(({ report }) => report ?? []);
    expect({
      exitCode,
      output: rig.output('steps/count/text'),
      progress: reports.filter(({ unit }) => unit === 'step').length > 1,
      last: reports.filter(({ unit }) => unit === 'step').at(-1)?.done,
      warnings: reports.flatMap(({ level, message }) => (level === 'warning' ? [message] : [])),
      leaked: [stdout, ...(await textsBelow(store()))].some((text) => /hunter2|unnamed/.test(text)),
    }).toEqual({
      ...{ exitCode: 0, output: '10 steps\n', progress: true, last: 10, warnings: ['took 10 steps'] },
      leaked: false,
    });
  }, 60_000);

  test('a stage that fails there fails here, with the paths of this machine', async () => {
    await using rig = await open();
    await rig.write('rows.jsonl', '{"instruction": "a", "output": "b"}\n{"instruction": 7\n');
    await rig.write('p.yaml', 'stages:\n  load:\n    with: { records: rows.jsonl }\n');
    const there = await rig.start('run', 'p.yaml', '--executor', 'box');
    await using same = await open();
    await same.write('rows.jsonl', '{"instruction": "a", "output": "b"}\n{"instruction": 7\n');
    await same.write('p.yaml', 'stages:\n  load:\n    with: { records: rows.jsonl }\n');
    const here = await same.start('run', 'p.yaml');
    const failure = (text: string, folder: string): string | undefined =>
      /failed load: [\s\S]*?\n\n/.exec(text.replaceAll(folder, '<folder>'))?.[0];
    expect([there.exitCode, failure(there.stdout, rig.folder)]).toEqual([
      1,
      failure(here.stdout, same.folder),
    ]);
  }, 60_000);

  test('Ctrl-C ends the stage there, and the next run goes on from its state', async () => {
    await using rig = await open();
    await rig.write('steps.yaml', stepsPipeline(rig.folder));
    const running = rig.start('run', 'steps.yaml', '--executor', 'box');
    await until(() => rig.trace().includes('step 3'));
    running.kill('SIGINT');
    const { exitCode } = await running;
    const steps = Number(rig.trace().at(-1)?.replace('step ', ''));
    const again = await rig.start('run', 'steps.yaml', '--executor', 'box');
    expect([exitCode, again.exitCode, starts(rig), rig.output('steps/count/text')]).toEqual([
      ...[130, 0],
      ['start 0', `start ${steps}`],
      '10 steps\n',
    ]);
  }, 60_000);

  test('a stage goes on while its connection is lost, and is picked up again', async () => {
    await using rig = await open();
    await rig.write('steps.yaml', stepsPipeline(rig.folder, { with: 'milliseconds: 300' }));
    const running = rig.start('run', 'steps.yaml', '--executor', 'box');
    await until(() => rig.trace().includes('step 2'));
    await server.stop();
    await until(() => rig.trace().includes('step 5'));
    await server.start();
    const { exitCode, stdout } = await running;
    expect([exitCode, starts(rig), rig.output('steps/count/text')]).toEqual([0, ['start 0'], '10 steps\n']);
    expect(oneLine(stdout)).toContain('is lost; it is tried again');
  }, 60_000);

  test('the run that follows a killed one finds the stage again and does not start it twice', async () => {
    await using rig = await open();
    await rig.write('steps.yaml', stepsPipeline(rig.folder));
    const running = rig.start('run', 'steps.yaml', '--executor', 'box');
    await until(() => rig.trace().includes('step 2'));
    running.kill('SIGKILL');
    await running;
    const { exitCode, stdout } = await rig.start('run', 'steps.yaml', '--executor', 'box');
    expect([exitCode, starts(rig), rig.output('steps/count/text')]).toEqual([0, ['start 0'], '10 steps\n']);
    expect(oneLine(stdout)).toContain('takes up its job on');
  }, 60_000);

  test('bytes that are not those of their digest are refused, and nothing of them is a result', async () => {
    await using rig = await open();
    await rig.write('liar.mjs', liar);
    await rig.write(
      '.tuneloom/settings.yaml',
      (await readFile(join(rig.folder, '.tuneloom/settings.yaml'), 'utf8')).replace(
        /program: .*/,
        `program: ${process.execPath} ${rig.folder}/liar.mjs`,
      ),
    );
    await rig.write(
      'p.yaml',
      'name: p\nstages:\n  big:\n    uses: shell\n    with: { command: head -c 200000 /dev/zero > $OUT_text, outputs: { text: file } }\n',
    );
    const { exitCode, stdout } = await rig.start('run', 'p.yaml', '--executor', 'box');
    expect([
      exitCode,
      /the bytes that came for|has the digest/.test(oneLine(stdout)),
      existsSync(join(rig.folder, 'artifacts/outputs/p')),
    ]).toEqual([1, true, false]);
  }, 60_000);

  test('a host that cannot be reached, and one without the program, say so', async () => {
    await using none = await open({ program: 'no-such-tuneloom' });
    await none.write('steps.yaml', stepsPipeline(none.folder));
    const missing = await none.start('run', 'steps.yaml', '--executor', 'box');
    await using rig = await open();
    await rig.write('steps.yaml', stepsPipeline(rig.folder));
    await server.stop();
    const unreachable = await rig.start('run', 'steps.yaml', '--executor', 'box');
    await server.start();
    const reached = await rig.start('run', 'steps.yaml', '--executor', 'box');
    expect([
      [missing.exitCode, oneLine(missing.stdout).includes('does not start `no-such-tuneloom worker`')],
      [unreachable.exitCode, oneLine(unreachable.stdout).includes('cannot be reached')],
      [reached.exitCode, starts(rig)],
    ]).toEqual([
      [1, true],
      [1, true],
      [0, ['start 0']],
    ]);
  }, 60_000);
});

/** Passes on what a worker says, and changes a byte of each large piece. */
const liar = `import { spawn } from 'node:child_process';
const worker = spawn(${JSON.stringify(process.execPath)}, [${JSON.stringify(tuneloomScript)}, ...process.argv.slice(2)], {
  stdio: ['inherit', 'pipe', 'inherit'],
});
let rest = Buffer.alloc(0);
let greeted = false;
worker.stdout.on('data', (piece) => {
  rest = Buffer.concat([rest, piece]);
  if (!greeted) {
    const end = rest.indexOf('\\n') + 1;
    if (end === 0) return;
    process.stdout.write(rest.subarray(0, end));
    rest = rest.subarray(end);
    greeted = true;
  }
  while (rest.length >= 8) {
    const end = 8 + rest.readUInt32BE(0) + rest.readUInt32BE(4);
    if (rest.length < end) return;
    const frame = Buffer.from(rest.subarray(0, end));
    if (frame.readUInt32BE(4) > 100000) frame[end - 1] ^= 1;
    process.stdout.write(frame);
    rest = rest.subarray(end);
  }
});
worker.on('exit', (code) => process.exit(code ?? 1));
`;

/** The texts of all small files below a folder. */
async function textsBelow(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(files.map((path) => readFile(path, 'latin1')));
}
