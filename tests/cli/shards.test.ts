import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type CliRig, openCliRig } from './rig.ts';

const model = join(import.meta.dirname, '../fixtures/training/tiny-gpt2');

const rows = (count: number): string =>
  Array.from(
    { length: count },
    (_, index) => `${JSON.stringify({ id: `r${index}`, text: `w${index % 7} w${index % 5}` })}\n`,
  ).join('');

const project = {
  'package.json': '{}',
  'rows.jsonl': rows(40),
  'pipeline.yaml': `name: sharded
stages:
  base:
    uses: load
    with: { model: ${model} }
  load:
    with: { records: rows.jsonl }
  format:
    from: load
    with: { template: completion }
  generate:
    from: { model: base, prompts: format }
    with: { max_new_tokens: 6, temperature: 0.8, samples: 2 }
`,
};

/** The bytes that generate wrote in a store of the rig's folder. */
const responsesIn = ({ folder }: CliRig, store: string): string =>
  readFileSync(join(folder, store, 'outputs/sharded/generate/responses'), 'utf8');

/** How many answers the progress of a run counts. */
const answered = (stdout: string): number =>
  Math.max(
    0,
    ...stdout
      .split('\n')
      .filter((line) => line.includes('"unit":"answer"'))
      .map((line) => Number(/"done":(\d+)/.exec(line)?.[1])),
  );

test('1, 3 and 8 shards give the same bytes, under the same key', async () => {
  await using rig = await openCliRig(project);
  for (const count of ['1', '3', '8']) {
    const { exitCode } = await rig.tuneloom('run', '--store', `of-${count}`, '--shards', count);
    expect(exitCode).toBe(0);
  }
  expect(responsesIn(rig, 'of-1').split('\n')).toHaveLength(81);
  expect(responsesIn(rig, 'of-3')).toBe(responsesIn(rig, 'of-1'));
  expect(responsesIn(rig, 'of-8')).toBe(responsesIn(rig, 'of-1'));
  const again = await rig.tuneloom('run', '--store', 'of-3', '--shards', '8');
  expect(again.stdout).toContain('sharded: nothing had to run; 4 stages reused');
}, 120_000);

test('after a shard was killed, the next run does the work of that shard only', async () => {
  await using rig = await openCliRig(project);
  await rig.tuneloom('run', '--store', 'whole');
  const words = ['run', '--shards', '3', '--force', 'generate', '--json'];
  await rig.tuneloom('run', 'format', 'base');
  const running = rig.start(...words);
  const started = await until(
    () => filesNamed(join(rig.folder, 'artifacts/state'), 'shards/1/action.json')[0],
  );
  expect(started).toBeDefined();
  await until(() => killChildren(running.pid ?? 0));
  const lost = await running;
  expect(lost.exitCode).toBe(1);
  expect(lost.stdout).toMatch(/"kind":"killed".*"message":"shard 2 of 3: /);
  const kept = filesNamed(join(rig.folder, 'artifacts/state'), 'done.json').map(
    (path) => /share-\d-of-3/.exec(path)?.[0],
  );
  expect(kept.sort()).toEqual(['share-1-of-3', 'share-3-of-3']);
  const next = await rig.tuneloom(...words);
  expect(next.exitCode).toBe(0);
  // The other two shards are not even started.
  expect(answered(next.stdout)).toBeGreaterThan(0);
  expect(answered(next.stdout)).toBeLessThan(60);
  expect(responsesIn(rig, 'artifacts')).toBe(responsesIn(rig, 'whole'));
  expect(existsSync(join(rig.folder, 'artifacts/state'))).toBe(true);
  expect(readdirSync(join(rig.folder, 'artifacts/state'))).toEqual([]);
}, 120_000);

test('`shards` of a stage that does its work in one piece is refused, and so is --shards without generate', async () => {
  await using rig = await openCliRig(project);
  const yaml = readFileSync(join(rig.folder, 'pipeline.yaml'), 'utf8');
  await writeFile(
    join(rig.folder, 'pipeline.yaml'),
    yaml.replace('    from: load\n', '    from: load\n    resources: { shards: 2 }\n'),
  );
  expect(await rig.tuneloom('plan')).toEqual({
    exitCode: 2,
    stdout: '',
    stderr: `pipeline.yaml:10:18 error[no-shards] \`format\` does its work in one piece
  10 |     resources: { shards: 2 }
     |                  ^^^^^^
  help: leave \`shards\` out; only \`generate\` can divide its work
1 error. Nothing ran.`,
  });
  await writeFile(join(rig.folder, 'pipeline.yaml'), yaml.slice(0, yaml.indexOf('  generate:')));
  const { exitCode, stderr } = await rig.tuneloom('run', '--shards', '2');
  expect([exitCode, stderr]).toEqual([
    2,
    'error: no stage of sharded can divide its work, so --shards means nothing\n  help: only `generate` can',
  ]);
}, 60_000);

/** The value of a function once it is truthy; undefined after 30 s. */
async function until<Value>(read: () => Value): Promise<Value | undefined> {
  for (let tries = 0; tries < 3000; tries += 1) {
    const value = read();
    if (value) return value;
    await sleep(10);
  }
  return undefined;
}

function filesNamed(folder: string, end: string): readonly string[] {
  if (!existsSync(folder)) return [];
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return paths.filter((path) => path.endsWith(end));
}

/** Kills the processes that a process has started; false if there are none. */
function killChildren(parent: number): boolean {
  const children = readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] === String(parent);
    } catch {
      return false;
    }
  });
  for (const pid of children) process.kill(Number(pid), 'SIGKILL');
  return children.length > 0;
}

test('the answers of several adapters are divided and joined, each by itself', async () => {
  const adapters = join(import.meta.dirname, '../fixtures/adapters');
  const yaml = project['pipeline.yaml']
    .replace(
      '  generate:',
      `  tuned: { uses: load, with: { adapters: { one: ${adapters}/biases, two: ${adapters}/dora-bias } } }\n  generate:`,
    )
    .replace('{ model: base, prompts', '{ model: base, adapter: tuned, prompts');
  await using rig = await openCliRig({ ...project, 'pipeline.yaml': yaml, 'rows.jsonl': rows(7) });
  for (const count of ['1', '3'])
    expect((await rig.tuneloom('run', '--store', `of-${count}`, '--shards', count)).stderr).toBe('');
  const answers = (store: string) =>
    ['one', 'two'].map((part) =>
      readFileSync(join(rig.folder, store, 'outputs/sharded/generate/responses', part), 'utf8'),
    );
  expect(answers('of-3')).toEqual(answers('of-1'));
  expect(answers('of-1').map((text) => text.split('\n').length)).toEqual([15, 15]);
}, 120_000);
