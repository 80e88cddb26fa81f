import { expect, test } from 'vitest';
import { openCliRig } from './rig.ts';

const rows = [
  { instruction: 'Spell dog.', output: 'd-o-g', source: 'web' },
  { instruction: 'Spell cat.', output: 'c-a-t', source: '' },
  { instruction: 'Spell owl.', output: 'o-w-l', source: 'web', history: [['Hi', 'Hello']] },
];
const project = (more = '') => ({
  'package.json': '{}',
  'rows.jsonl': rows.map((row, index) => `${JSON.stringify({ id: `r${index + 1}`, ...row })}\n`).join(''),
  'pipeline.yaml': `stages:
  load: { with: { records: rows.jsonl } }
  format: { from: load, with: { template: alpaca${more} } }
`,
});
const warningsIn = (text: string) => text.split('\n').filter((line) => line.startsWith('warning'));

test('what a row says and its text does not show is warned of with its lines, and again when the result is reused', async () => {
  await using rig = await openCliRig(project());
  const warning =
    'warning  format: 2 of 3 records have fields that the template does not use: `source` (2), `history` (1); if that is meant, say `ignore: [source, history]`';
  const warned = async (...command: string[]) => {
    const { stdout, stderr } = await rig.tuneloom(...command);
    return warningsIn(`${stdout}\n${stderr}`);
  };
  expect(await warned('run')).toEqual([`${warning} (first: rows.jsonl:1, rows.jsonl:3)`]);
  expect(await warned('run')).toEqual([`${warning} (first: record r1, record r3)`]);
  expect(await warned('show', 'format')).toEqual([
    `${warning.replace('warning  format:', 'warning:')} (first: record r1, record r3)`,
  ]);
});

test('it can be ignored, or stop the run', async () => {
  await using ignoring = await openCliRig(project(', ignore: [source, history]'));
  expect(warningsIn((await ignoring.tuneloom('run')).stdout)).toEqual([]);
  await using strict = await openCliRig(project(', ignore: [source], expect: { everything_shown: true }'));
  const { exitCode, stderr, stdout } = await strict.tuneloom('run');
  expect([exitCode, `${stdout}${stderr}`]).toEqual([
    1,
    expect.stringContaining('rows.jsonl:3 (record r3): the template does not use the field `history`'),
  ]);
});
