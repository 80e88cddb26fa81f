import { expect, test } from 'vitest';
import { openCliRig } from './rig.ts';

/** As Python's json and jinja2 write them: `json.loads`, then `{{ a }}` and `json.dumps`. */
test('numbers of a JSON or JSONL file keep their spelling in records, ids, templates and text', async () => {
  const rows = [
    '{"id":12345678901234567890,"q":"a","a":20.0,"args":{"step":1e-05,"post":9007199254740993,"n":20,"half":0.5}}',
    '{"id":12345678901234567891,"q":"b","a":1e2,"args":{"step":-0.0,"post":18446744073709551615,"n":-7,"half":2.50}}',
  ];
  const stages = `
  format: { from: load, with: { template: { prompt: '{{ q }} {{ args | tojson }}', response: '{{ a }} {{ args.post + 1 }}' } } }
  split: { from: format, with: { by: order, parts: [all: rest] } }
`;
  await using rig = await openCliRig({
    'package.json': '{}',
    'rows.jsonl': `${rows.join('\n')}\n`,
    'rows.json': `[${rows.join(',\n')}]`,
    'lines.yaml': `stages:\n  load: { with: { records: rows.jsonl } }${stages}`,
    'list.yaml': `stages:\n  load: { with: { records: rows.json } }${stages}`,
  });
  for (const pipeline of ['lines.yaml', 'list.yaml']) {
    expect((await rig.tuneloom('run', pipeline)).stderr).toBe('');
    const loaded = await rig.tuneloom('show', pipeline, 'load', '--json');
    expect(loaded.stdout).toContain(
      '"items":[{"id":"12345678901234567890","q":"a","a":20.0,"args":{"step":1e-05,"post":9007199254740993,"n":20,"half":0.5}},' +
        '{"id":"12345678901234567891","q":"b","a":1e2,"args":{"step":-0.0,"post":18446744073709551615,"n":-7,"half":2.5}}]',
    );
    const split = await rig.tuneloom('show', pipeline, 'split.all', '--json');
    const { items } = JSON.parse(split.stdout).content;
    expect(items.map((item: { segments: unknown }) => item.segments)).toEqual([
      [
        { role: 'prompt', text: 'a {"step": 1e-05, "post": 9007199254740993, "n": 20, "half": 0.5}' },
        { role: 'response', text: '20.0 9007199254740994' },
      ],
      [
        { role: 'prompt', text: 'b {"step": -0.0, "post": 18446744073709551615, "n": -7, "half": 2.5}' },
        { role: 'response', text: '100.0 18446744073709551616' },
      ],
    ]);
    expect((await rig.tuneloom('show', pipeline, 'split.all')).stdout).toContain('"step":1e-05');
  }
});

test('rows that differ in a number only are different records', async () => {
  await using rig = await openCliRig({
    'package.json': '{}',
    'rows.jsonl': '{"n":20}\n{"n":20.0}\n{"n":9007199254740992}\n{"n":9007199254740993}\n{"n":20.0}\n',
    'p.yaml': 'stages:\n  load: { with: { records: rows.jsonl } }\n',
  });
  expect((await rig.tuneloom('run')).stderr).toBe('');
  const ids = JSON.parse((await rig.tuneloom('show', 'load', '--json')).stdout).content.items.map(
    ({ id }: { id: string }) => id,
  );
  expect(new Set(ids).size).toBe(5);
  expect(ids[4]).toBe(`${ids[1]}-2`);
});
