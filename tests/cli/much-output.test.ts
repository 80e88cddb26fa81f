import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openCliRig } from './rig.ts';

const project = (command: string) => ({
  'package.json': '{}',
  'p.yaml': `stages:\n  s: { uses: shell, with: { command: '${command}', outputs: { o: file } } }\n`,
});

function logIn(folder: string): string {
  const state = join(folder, 'artifacts/state');
  const names = readdirSync(state, { recursive: true, encoding: 'utf8' });
  return readFileSync(join(state, names.find((name) => name.endsWith('log.txt')) ?? ''), 'utf8');
}

test('of a command that prints 300,000 lines some are shown, the others are counted, and its log has them all', async () => {
  await using rig = await openCliRig(project('seq 1 300000; exit 3'));
  const { exitCode, stdout } = await rig.tuneloom('run');
  const notes = stdout.split('\n').filter((line) => line.startsWith('note'));
  const counted = notes.flatMap((line) => /(\d+) more lines, which are in the log$/.exec(line)?.[1] ?? []);
  const shown = notes.length - counted.length;
  expect([exitCode, shown + counted.reduce((sum, count) => sum + Number(count), 0)]).toEqual([1, 300_000]);
  expect(shown).toBeLessThan(30_000);
  const lines = logIn(rig.folder).trimEnd().split('\n');
  expect([lines.length, lines[0], lines.at(-1)]).toEqual([300_000, '1', '300000']);
});

test('of a log without end the beginning and the end are kept', async () => {
  await using rig = await openCliRig(
    project('echo first; head -c 60000000 /dev/zero | tr "\\\\0" x | fold -w 999; echo; echo last; exit 3'),
  );
  await rig.tuneloom('run');
  const log = logIn(rig.folder);
  expect([log.startsWith('first\n'), log.endsWith('\nlast\n'), log.length < 33 * 2 ** 20]).toEqual([
    true,
    true,
    true,
  ]);
  expect(log).toMatch(/\n\[\d+ bytes are left out here\]\n/);
});

test('a user’s stage that reports what cannot be shown fails alone, and the others go on', async () => {
  await using rig = await openCliRig({
    'package.json': '{}',
    'bad/stage.yaml': 'name: bad\noutputs: { x: file }\n',
    'bad/index.ts':
      'export const run = async (_: never, host: { report: (report: unknown) => void }) => { for (const report of [{ type: "progress", done: "all" }]) host.report(report); };\n',
    'p.yaml':
      'stages:\n  b: { uses: ./bad }\n  c: { uses: shell, with: { command: "sleep 1; echo > $OUT_o", outputs: { o: file } } }\n',
  });
  const { exitCode, stdout } = await rig.tuneloom('run', '--keep-going');
  expect([exitCode, stdout]).toEqual([
    1,
    expect.stringContaining('a report is { type: note, level, message }'),
  ]);
  expect(stdout).toContain('done     c');
});

test('a user’s stage that returns no measurements, or sends a failure of its own making, ends', async () => {
  const ownStage = (name: string, code: string) => ({
    [`${name}/stage.yaml`]: `name: ${name}\noutputs: { x: file }\n`,
    [`${name}/index.ts`]: `import { writeFileSync } from 'node:fs';
export const run = async (action: { outputs: { x: { path: string } } }) => { writeFileSync(action.outputs.x.path, ''); ${code} };`,
  });
  await using rig = await openCliRig({
    'package.json': '{}',
    ...ownStage('quiet', ''),
    ...ownStage('rogue', 'process.send?.({ type: "failed", failure: { kind: "none" } }); return {};'),
    'p.yaml': 'stages: { quiet: { uses: ./quiet }, rogue: { uses: ./rogue } }\n',
  });
  const { exitCode, stdout } = await rig.tuneloom('run', '--keep-going');
  expect([exitCode, stdout]).toEqual([1, expect.stringContaining('it failed without a readable reason')]);
  expect(stdout).toContain('done     quiet');
});

test.each(['/proc/x', '/proc/self', '/dev/null', '/dev/null/x', '/dev/full'])(
  'a store at %s is an error that names it',
  async (store) => {
    await using rig = await openCliRig(project('echo > $OUT_o'));
    const { exitCode, stderr } = await rig.tuneloom('run', '--store', store);
    expect([exitCode, stderr]).toEqual([
      2,
      expect.stringContaining(`error[unusable-store] the store ${store} cannot be used`),
    ]);
    expect(
      existsSync(join(rig.folder, 'artifacts')) ? readdirSync(join(rig.folder, 'artifacts')) : [],
    ).toEqual([]);
  },
);
