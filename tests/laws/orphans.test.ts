import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openCliRig } from '../cli/rig.ts';
import { canSeeProcesses, orphansIn } from './rig/mortal-run.ts';

test.skipIf(!canSeeProcesses)(
  'a command, and what it has started, ends with a tuneloom that is killed, and the next run finds all in order',
  async () => {
    await using rig = await openCliRig({ 'package.json': '{}' });
    const begun = join(rig.folder, 'begun');
    const follow = `tail -f ${join(rig.folder, 'p.yaml')}`;
    const pipeline = (command: string) =>
      `stages:\n  quick: { uses: shell, with: { command: 'echo 1 > $OUT_a', outputs: { a: file } } }\n  long: { uses: shell, from: { a: quick }, with: { command: '${command}', inputs: { a: file }, outputs: { b: file } } }\n`;
    await rig.write('p.yaml', pipeline(`${follow} & touch ${begun}; ${follow}`));
    const run = rig.start('run');
    while (!existsSync(begun)) await sleep(10);
    run.kill('SIGKILL');
    await run;
    expect(await orphansIn(rig.folder)).toEqual([]);
    await rig.write('p.yaml', pipeline('cp $IN_a $OUT_b'));
    const { stdout, exitCode } = await rig.tuneloom('run');
    expect([exitCode, stdout.includes('started  quick'), stdout.includes('started  long')]).toEqual([
      0,
      false,
      true,
    ]);
    expect((await rig.tuneloom('verify')).exitCode).toBe(0);
  },
);

/** What ends a command, with its exit code. A closed terminal sends SIGHUP. */
const ends = [
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGQUIT', 131],
  ['SIGTERM', 143],
] as const;

test.skipIf(!canSeeProcesses).each(ends)(
  '%s ends a run with what it has started, and its exit code is %i',
  async (signal, code) => {
    await using rig = await openCliRig({ 'package.json': '{}' });
    const begun = join(rig.folder, 'begun');
    const follow = `tail -f ${join(rig.folder, 'p.yaml')}`;
    await rig.write(
      'p.yaml',
      `stages:\n  long: { uses: shell, with: { command: 'trap "" HUP QUIT; ${follow} & touch ${begun}; ${follow}', outputs: { b: file } } }\n`,
    );
    const run = rig.start('run');
    while (!existsSync(begun)) await sleep(10);
    run.kill(signal);
    const { exitCode } = await run;
    expect([exitCode, await orphansIn(rig.folder)]).toEqual([code, []]);
    expect(JSON.parse((await rig.tuneloom('runs', 'latest', '--json')).stdout).outcome).toBe('interrupted');
  },
);

test.skipIf(!canSeeProcesses)(
  'a stage of one’s own that never returns ends with a tuneloom that is killed',
  async () => {
    const loop = `import { writeFileSync } from 'node:fs';
export const run = async () => { writeFileSync(process.cwd() + '/begun', ''); for (;;); };`;
    await using rig = await openCliRig({
      'package.json': '{}',
      'p.yaml': 'stages: { long: { uses: ./endless } }\n',
      'endless/stage.yaml': 'name: endless\noutputs: { x: file }\n',
      'endless/index.ts': loop,
    });
    const run = rig.start('run');
    while (!existsSync(join(rig.folder, 'begun'))) await sleep(10);
    run.kill('SIGKILL');
    await run;
    expect(await orphansIn(rig.folder)).toEqual([]);
  },
);

test.skipIf(!canSeeProcesses)(
  'a command that ignores SIGTERM ends with a tuneloom that is killed',
  async () => {
    await using rig = await openCliRig({ 'package.json': '{}' });
    const begun = join(rig.folder, 'begun');
    const stubborn = `trap "" TERM; touch ${begun}; while :; do sleep 1; done`;
    await rig.write(
      'p.yaml',
      `stages:\n  long: { uses: shell, with: { command: '${stubborn}', outputs: { b: file } } }\n`,
    );
    const run = rig.start('run');
    while (!existsSync(begun)) await sleep(10);
    run.kill('SIGKILL');
    await run;
    expect(await orphansIn(rig.folder)).toEqual([]);
  },
);
