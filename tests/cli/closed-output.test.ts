import { expect, test } from 'vitest';
import { type CliRig, dataProject, openCliRig } from './rig.ts';

const rows = Array.from({ length: 2000 }, (_, index) => `{"id":"r${index}","text":"${'x'.repeat(200)}"}\n`);

/** Closes the reading end after the first output, as `head` does. */
async function readLittle(rig: CliRig, ...words: string[]) {
  const command = rig.start(...words);
  command.stdout?.once('data', () => command.stdout?.destroy());
  const { exitCode, stderr } = await command;
  return { exitCode, stderr };
}

// 128 + 13, a shell's exit code for a program that SIGPIPE ended.
test('a reader that closes the pipe ends the command quietly, with 141', async () => {
  await using rig = await openCliRig({ ...dataProject, 'rows.jsonl': rows.join('') });
  await rig.tuneloom('run', 'data.yaml', 'load');
  expect(await readLittle(rig, 'show', 'load', '--limit', '2000')).toEqual({ exitCode: 141, stderr: '' });
});

test('a run whose reader has gone ends, and the next run continues from the finished stages', async () => {
  await using rig = await openCliRig(dataProject);
  expect(await readLittle(rig, 'run', '--json')).toEqual({ exitCode: 141, stderr: '' });
  expect((await rig.tuneloom('run')).exitCode).toBe(0);
  expect((await rig.tuneloom('verify')).exitCode).toBe(0);
});
