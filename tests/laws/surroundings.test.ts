import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { verifyStore } from '../../src/runtime/store/verify-store.ts';
import { type CliRig, openCliRig } from '../cli/rig.ts';
import { decisions, openRig, outputsOf } from '../runtime/rig/run-rig.ts';
import type { TinyPipeline } from '../runtime/rig/tiny-dag.ts';

const stages: TinyPipeline['stages'] = {
  read: { uses: 'read', with: { path: 'letters.txt' } },
  pack: { uses: 'pack', from: { text: 'read.text' } },
  unpack: { uses: 'unpack', from: { box: 'pack.box' } },
};

describe('a clock that jumps', () => {
  afterEach(() => void vi.useRealTimers());
  const yearsFromNow = (years: number): Date => new Date(Date.now() + years * 365 * 24 * 60 * 60 * 1000);

  test('by years, ahead or behind, neither runs anything again nor hides an edit', async () => {
    await using rig = await openRig();
    const path = await rig.write('letters.txt', 'abc');
    const first = await rig.run(rig.dag(stages));
    for (const [round, years] of [5, -20, 0, -40].entries()) {
      vi.useFakeTimers({ toFake: ['Date'], now: yearsFromNow(years) });
      expect([years, outputsOf(await rig.run(rig.dag(stages)))]).toEqual([years, outputsOf(first)]);
      expect(Object.values(decisions(await rig.run(rig.dag(stages))))).toEqual([
        'reused',
        'reused',
        'reused',
      ]);
      await rig.write('letters.txt', `ab${round}`);
      utimesSync(path, yearsFromNow(0), yearsFromNow(0));
      expect(await rig.text(await rig.run(rig.dag(stages)), 'unpack')).toBe(`ab${round}`);
      await rig.write('letters.txt', 'abc');
      vi.useRealTimers();
    }
    expect((await verifyStore(rig.open())).problems).toEqual([]);
  });
});

const copying = {
  'package.json': '{}',
  'd/plain': 'x',
  'p.yaml': `stages:
  copy:
    uses: shell
    with: { command: 'cp -r "$FILE_d/." "$OUT_out"', files: { d: d }, outputs: { out: file } }
`,
};

/** The exit code of a run and the first line that it complained in. */
async function said(rig: CliRig, ...words: string[]): Promise<readonly [number | undefined, string]> {
  const { exitCode, stdout, stderr } = await rig.tuneloom('run', ...words);
  const complaint = `${stdout}\n${stderr}`.split('\n').find((line) => /error|cannot/.test(line)) ?? '';
  expect(`${stdout}${stderr}`).not.toMatch(/^ {4}at /m);
  return [exitCode, complaint.trim()];
}

describe('file names', () => {
  test('with any letters, newlines or 255 bytes are kept unchanged in folders', async () => {
    await using rig = await openCliRig(copying);
    const names = [
      'new\nline',
      '\u001b[31m',
      `${'é'.repeat(127)}a`,
      '日本',
      'e\u0301',
      'é',
      ' ',
      '$HOME',
      '-rf',
    ];
    for (const name of names) await rig.write(`d/${name}`, name);
    expect(await said(rig)).toEqual([0, '']);
    const shown = readdirSync(join(rig.folder, 'artifacts/outputs/p/copy/out'));
    expect(shown.sort()).toEqual([...names, 'plain'].sort());
    expect((await rig.tuneloom('plan', '--check')).exitCode).toBe(0);
    expect((await rig.tuneloom('verify')).exitCode).toBe(0);
  });

  test.each(['a\\b', 'C:x'])(
    'such as %j, which are paths elsewhere, fail the stage that writes them',
    async (name) => {
      await using rig = await openCliRig(copying);
      await rig.write(`d/${name}`, 'x');
      const [exitCode, complaint] = await said(rig);
      expect([exitCode, complaint]).toEqual([
        1,
        expect.stringContaining(
          `a folder in the store cannot hold \`${name}\`: on other systems its name would be a path`,
        ),
      ]);
      expect((await rig.tuneloom('verify')).exitCode).toBe(0);
    },
  );

  test.skipIf(process.platform !== 'linux')(
    'that are no UTF-8 are refused before anything runs',
    async () => {
      await using rig = await openCliRig(copying);
      writeFileSync(Buffer.concat([Buffer.from(`${rig.folder}/d/`), Buffer.from([0xff, 0xfe])]), 'x');
      expect(await said(rig)).toEqual([
        2,
        expect.stringMatching(/^p\.yaml:4:\d+ error\[unreadable-source\].*is not UTF-8$/),
      ]);
    },
  );
});

test.each([
  ['leads to itself', 'd/loop', 'd/loop'],
  ['leads back', 'd/loop', 'd'],
  ['is broken', 'd/loop', 'nowhere'],
])(
  'a link below a source that %s is refused with its place, and the next run needs only that it goes',
  async (_, link, to) => {
    await using rig = await openCliRig(copying);
    symlinkSync(join(rig.folder, to), join(rig.folder, link));
    expect(await said(rig)).toEqual([
      2,
      expect.stringMatching(/^p\.yaml:4:\d+ error\[unreadable-source\].*loop/),
    ]);
    expect(existsSync(join(rig.folder, 'artifacts/runs'))).toBe(false);
  },
);

test('the same project at another path, with its store, has nothing to do', async () => {
  await using rig = await openCliRig(copying);
  expect(await said(rig)).toEqual([0, '']);
  await using other = await openCliRig();
  cpSync(rig.folder, join(other.folder, 'deep down'), { recursive: true, verbatimSymlinks: true });
  const { exitCode, stdout } = await other.tuneloom('plan', 'deep down/p.yaml', '--check');
  expect([exitCode, stdout]).toEqual([0, 'p: nothing would run; 1 stage up to date']);
  expect((await other.tuneloom('verify', 'deep down/p.yaml')).exitCode).toBe(0);
});

/** Root may do anything, so these tests run as the user `nobody`, if that user can reach the command. */
const tuneloomScript = fileURLToPath(new URL('../../dist/tuneloom.js', import.meta.url));
const [uid, gid] =
  process.getuid?.() === 0 ? [65_534, 65_534] : [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
const nobody = { uid, gid };
const reachable = spawnSync(process.execPath, [tuneloomScript, '--version'], nobody).status === 0;
const asNobody = (cwd: string, ...words: string[]) =>
  spawnSync(process.execPath, [tuneloomScript, ...words], {
    cwd,
    ...nobody,
    env: { PATH: process.env.PATH, HOME: cwd, NO_COLOR: '1' },
    encoding: 'utf8',
  });

describe(`without permission${reachable ? '' : ' (nobody can start the command here)'}`, () => {
  test.skipIf(!reachable)(
    'to read a source, or to write the store or the lock, a run says so in a line',
    async () => {
      await using rig = await openCliRig(copying);
      for (const path of ['.', 'd', 'd/plain', 'p.yaml']) chownSync(join(rig.folder, path), uid, gid);
      chmodSync(join(rig.folder, 'd/plain'), 0);
      const unread = asNobody(rig.folder, 'run');
      expect([unread.status, unread.stderr.split('\n')[0]]).toEqual([
        2,
        expect.stringMatching(/^p\.yaml:4:\d+ error\[unreadable-source\].*EACCES/),
      ]);
      chmodSync(join(rig.folder, 'd/plain'), 0o644);
      mkdirSync(join(rig.folder, 'closed'), { mode: 0o500 });
      chownSync(join(rig.folder, 'closed'), uid, gid);
      const closed = asNobody(rig.folder, 'run', '--store', 'closed/store');
      expect([closed.status, closed.stderr.split('\n')[0]]).toEqual([
        2,
        expect.stringMatching(/^error\[unusable-store\].*EACCES/),
      ]);
      expect(asNobody(rig.folder, 'run').status).toBe(0);
      for (const name of ['blobs/sha256', 'actions', 'runs']) {
        const path = join(rig.folder, 'artifacts', name);
        chmodSync(path, 0o500);
        const refused = asNobody(rig.folder, 'run', '--force', 'copy');
        const output = `${refused.stdout}${refused.stderr}`;
        expect([name, refused.status === 0 || /EACCES/.test(output), /^ {4}at /m.test(output)]).toEqual([
          name,
          true,
          false,
        ]);
        chmodSync(path, 0o755);
        expect([name, asNobody(rig.folder, 'run').status, asNobody(rig.folder, 'verify').status]).toEqual([
          name,
          0,
          0,
        ]);
      }
    },
  );
});
