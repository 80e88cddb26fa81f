import { expect, test } from 'vitest';
import { openCliRig } from './rig.ts';

const shell = (command: string) => `{ command: ${JSON.stringify(command)}, outputs: { text: file } }`;

const project = {
  'package.json': '{}',
  'p.yaml': `name: failing
stages:
  bad:
    uses: shell
    with: ${shell('echo something went wrong >&2; exit 3')}
  good:
    uses: shell
    with: ${shell('echo good > "$OUT_text"')}
  after:
    uses: shell
    from: { text: bad }
    with: { command: 'cat "$IN_text" > "$OUT_text"', inputs: { text: file }, outputs: { text: file } }
`,
};

test('--keep-going runs what does not depend on the failure', async () => {
  await using rig = await openCliRig(project);
  expect(await rig.tuneloom('run', '--keep-going', '--jobs', '1')).toMatchInlineSnapshot(`
    {
      "exitCode": 1,
      "stderr": "",
      "stdout": "started  bad (it has not run before)
    note     bad: something went wrong
    failed   bad
    started  good (it has not run before)
    done     good in <time>
    skipped  after (upstream \`bad\` failed)

    failed bad: the command ended with exit code 3
    something went wrong
      help: the lines above are the end of what it wrote to stderr
      log: <folder>/artifacts/state/<key>/<run>-1/log.txt

    failing: 1 stage ran, 1 failed, 1 skipped in <time>
    Finished stages are kept: fix the problem and run again to continue from here.",
    }
  `);
});

test('without --keep-going a failure ends the run', async () => {
  await using rig = await openCliRig(project);
  const { exitCode, stdout } = await rig.tuneloom('run', '--jobs', '1', '--json');
  const summary = JSON.parse(stdout.split('\n').at(-1) ?? '');
  const { outcome, ran, failed, skipped } = summary;
  expect([exitCode, outcome, ran, failed.length, skipped]).toEqual([1, 'failed', [], 1, ['after', 'good']]);
});
