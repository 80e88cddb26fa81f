import { expect, test } from 'vitest';
import { type CliRig, openCliRig } from './rig.ts';

const slowProject = {
  'package.json': '{}',
  'slow.yaml': `name: slow
stages:
  quick:
    uses: shell
    with: { command: echo quick > "$OUT_text", outputs: { text: file } }
  slow:
    uses: shell
    from: { text: quick }
    with: { command: sleep 600, inputs: { text: file }, outputs: { more: file } }
`,
};

/** Interrupts a run N times once it has printed the start of the stage, and waits for its end. */
async function interruptedRun(rig: CliRig, times: number, stage = 'slow') {
  const run = rig.start('run');
  let printed = '';
  run.stdout?.on('data', (chunk: Buffer) => {
    const begun = printed.includes(`started  ${stage}`);
    printed += chunk.toString();
    if (begun || !printed.includes(`started  ${stage}`)) return;
    for (let time = 0; time < times; time += 1) run.kill('SIGINT');
  });
  return await run;
}

test('Ctrl-C stops the run with 130 and keeps what finished', async () => {
  await using rig = await openCliRig(slowProject);
  const { exitCode, stdout } = await interruptedRun(rig, 1);
  expect([exitCode, stdout.includes('Stopping; finished stages are kept.')]).toEqual([130, true]);
  const plan = JSON.parse((await rig.tuneloom('plan', '--json')).stdout);
  expect(plan.stages.map(({ decision }: { decision: string }) => decision)).toEqual(['reuse', 'run']);
});

test('a second Ctrl-C ends it immediately', async () => {
  await using rig = await openCliRig(slowProject);
  expect((await interruptedRun(rig, 2)).exitCode).toBe(130);
});

test('a stage that is busy with one record is stopped, too', async () => {
  await using rig = await openCliRig({
    'package.json': '{}',
    'rows.json': '[{ "instruction": "a" }]',
    'busy.yaml': `name: busy
stages:
  load: { with: { records: rows.json } }
  format:
    from: load
    with:
      template:
        prompt: "{% for a in range(1000000) %}{% for b in range(1000000) %}{% endfor %}{% endfor %}"
`,
  });
  const { exitCode, stdout } = await interruptedRun(rig, 1, 'format');
  expect([exitCode, stdout.includes('stopped  format')]).toEqual([130, true]);
});
