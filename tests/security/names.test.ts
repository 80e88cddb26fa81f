import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pathSegment } from '../../src/runtime/store/store-layout.ts';
import { openCliRig } from '../cli/rig.ts';

test('names that every JavaScript object has are names like any other: stages, ports, parts, fields, parameters', async () => {
  const row = (id: string, more: string) => `{"id":"${id}","instruction":"x","output":"y"${more}}\n`;
  await using rig = await openCliRig({
    'package.json': '{}',
    'rows.jsonl':
      row('a', ',"__proto__":{"polluted":1},"constructor":"c"') + row('b', ',"constructor":"d","toString":1'),
    'p.yaml': `params: { __proto__: { polluted: 1 }, constructor: 0.5, toString: y }
stages:
  valueOf: { uses: load, with: { records: rows.jsonl } }
  hasOwnProperty:
    uses: split
    from: valueOf
    with: { by: hash, group: constructor, parts: [{ constructor: "\${params.constructor}" }, { toString: rest }] }
  constructor:
    uses: shell
    from: { __proto__: hasOwnProperty.toString }
    with:
      command: 'cp "$IN___proto__" "$OUT___proto__"; cp "$IN___proto__" "$OUT_constructor"'
      inputs: { __proto__: records }
      outputs: { __proto__: records, constructor: records }
  toString: { uses: format, from: constructor.__proto__, with: { template: { prompt: '{{ constructor }}', header: '', response: '' } } }
`,
  });
  const run = await rig.tuneloom('run', '-p', 'constructor=0.4', '--set', 'params.toString=z');
  expect([run.exitCode, run.stderr]).toEqual([0, '']);
  const shown = await rig.tuneloom('show', 'valueOf', '--json');
  expect(JSON.stringify(JSON.parse(shown.stdout).content.items[0])).toBe(
    '{"id":"a","instruction":"x","output":"y","__proto__":{"polluted":1},"constructor":"c"}',
  );
  for (const words of [['plan'], ['explain', 'constructor'], ['graph'], ['runs', 'latest'], ['verify']])
    expect((await rig.tuneloom(...words)).exitCode).toBe(0);
  for (const reference of ['constructor.__proto__', 'constructor.constructor', 'hasOwnProperty.toString'])
    expect((await rig.tuneloom('show', reference)).exitCode).toBe(0);
});

test('a name that the data lacks is not found on the object that every row is', async () => {
  await using rig = await openCliRig({
    'package.json': '{}',
    'rows.jsonl': '{"id":"a","instruction":"x","output":"y"}\n',
    'p.yaml': `stages:
  load: { with: { records: rows.jsonl } }
  split: { from: load, with: { by: hash, group: constructor, parts: [one: 0.5, two: rest] } }
  format: { from: load, with: { template: { prompt: '{{ toString }}', header: '', response: '' } } }
`,
  });
  const { exitCode, stdout } = await rig.tuneloom('run', '--keep-going');
  expect([
    exitCode,
    stdout.includes('no field `constructor`'),
    stdout.includes('no field `toString`'),
  ]).toEqual([1, true, true]);
});

test('overrides reach the fields of the pipeline and no prototype', async () => {
  await using rig = await openCliRig({
    'package.json': '{}',
    'rows.jsonl': '{"id":"a"}\n',
    'p.yaml': 'stages:\n  load: { with: { records: rows.jsonl } }\n',
  });
  for (const set of [
    '__proto__.x=1',
    'constructor.prototype.x=1',
    'stages.__proto__.with=1',
    'params.__proto__=1',
  ])
    expect((await rig.tuneloom('run', '--set', set)).exitCode).toBe(2);
  for (const set of [
    'stages.load.__proto__.x=1',
    'stages.load.with.__proto__.x=1',
    'stages.load.with.constructor=1',
  ])
    expect((await rig.tuneloom('run', '--set', set)).stderr).toContain('error[unknown-field]');
  expect((await rig.tuneloom('run', '-p', '__proto__=1')).exitCode).toBe(2);
});

test('a stage id that is a path, empty or in another script is refused, with its place', async () => {
  await using rig = await openCliRig({ 'package.json': '{}' });
  for (const id of ['../x', 'a/b', '/etc/x', '..', '""', 'a.b', 'naïve', '-x', 'C:x', 'a\\b', '__proto__']) {
    await rig.write('p.yaml', `stages:\n  ${id}: { uses: load, with: { records: rows.jsonl } }\n`);
    const { exitCode, stderr } = await rig.tuneloom('plan', 'p.yaml');
    expect([id, exitCode, /^p\.yaml:2:3 error\[/.test(stderr)]).toEqual([id, 2, true]);
  }
  for (const part of ['../x', 'a/b', '__proto__', '""', 'naïve']) {
    await rig.write(
      'p.yaml',
      `stages:\n  load: { with: { records: p.yaml } }\n  split: { from: load, with: { parts: [{ ${part}: rest }] } }\n`,
    );
    expect([part, (await rig.tuneloom('plan', 'p.yaml')).exitCode]).toEqual([part, 2]);
  }
});

test('names that Windows reserves and names of any length are ids that run', async () => {
  const long = 'a'.repeat(300);
  const shell = (port: string) =>
    `{ uses: shell, with: { command: 'for f in "$OUT_${port}"; do echo hi > "$f"; done', outputs: { ${port}: file } } }`;
  await using rig = await openCliRig({
    'package.json': '{}',
    'p.yaml': `name: ${'n'.repeat(300)}\nstages:\n  ${long}: ${shell(long)}\n  con: ${shell('nul')}\n`,
  });
  const { exitCode, stderr } = await rig.tuneloom('run');
  expect([exitCode, stderr]).toEqual([0, '']);
  expect((await rig.tuneloom('show', long)).stdout).toBe('hi');
  const views = await readdir(join(rig.folder, 'artifacts/outputs'), { recursive: true });
  expect(
    Math.max(...views.flatMap((path) => path.split('/')).map((name) => name.length)),
  ).toBeLessThanOrEqual(140);
});

test('names are distinguished in the store however long they are', () => {
  const [one, other] = [`${'x'.repeat(300)}1`, `${'x'.repeat(300)}2`].map(pathSegment);
  expect(one).not.toBe(other);
  expect(pathSegment('日'.repeat(90))).toMatch(/^[%A-Za-z0-9]{1,140}$/);
});
