import { describe, expect, test } from 'vitest';
import { withinTime } from '../../src/core/within-time.ts';
import { jinjaTemplate } from '../../src/text/template/jinja-template.ts';
import { openJsonTokenizer } from '../../src/text/tokenizer/json-tokenizer.ts';
import { openCliRig } from '../cli/rig.ts';

const promptOf = (prompt: string) => jinjaTemplate({ prompt, header: '', response: '' }, 100);

describe('a template', () => {
  test.each([
    ['loops within loops', '{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}'],
    ['loops over what each step makes longer', `{% set x = "a" %}${'{% set x = x ~ x %}'.repeat(40)}{{ x }}`],
    ['lists that double', `{% set x = [1] %}${'{% set x = x + x %}'.repeat(28)}{{ x | length }}`],
    ['numbers without end', '{{ range(999999999) }}'],
    ['numbers that never come near their end', '{{ range(0, 5, 0) }}'],
    ['a macro that calls itself', '{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}'],
    ['white space without end', '{{ "a" | indent(999999999, true) }}'],
    ['more text than a line can hold', `{% set x = "a" %}${'{% set x = x ~ x %}'.repeat(25)}{{ x }}`],
  ])('of %s ends, and says so', (_, source) => {
    expect(() => promptOf(source)({ text: 't' })).toThrow(
      /^(its|the) template (fails: |takes more than 0\.1 s)/,
    );
  });

  test('that took too long once is not tried with the other records', () => {
    const template = promptOf(
      '{% if slow %}{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}{% endif %}x',
    );
    expect(template({ slow: '' })).toEqual([{ role: 'prompt', text: 'x' }]);
    expect(() => template({ slow: 'yes' })).toThrow('takes more than 0.1 s');
    expect(() => template({ slow: '' })).toThrow('takes more than 0.1 s');
  });

  test('reaches nothing but its row: no constructor, no prototype, no function', () => {
    const reached = [
      '"".constructor',
      '[].constructor',
      'text.__proto__',
      'text.__class__',
      'range.constructor',
      'raise_exception.constructor',
      'row.constructor',
      'row["__proto__"]',
      'process',
      'globalThis',
      'require',
      'self',
    ];
    for (const expression of reached)
      expect([
        expression,
        promptOf(`{% if ${expression} is defined %}reached{% endif %}-`)({ text: 't', row: {} }),
      ]).toEqual([expression, [{ role: 'prompt', text: '-' }]]);
  });
});

test('what stands in the data is never read as a template', async () => {
  const hostile = `{{ 7 * 7 }}{% for a in range(9) %}x{% endfor %}\${params.secret}$(id)`;
  await using rig = await openCliRig({
    'package.json': '{}',
    'rows.jsonl': `${JSON.stringify({ id: 'a', instruction: hostile, output: hostile })}\n`,
    'p.yaml': `params: { secret: 49 }
stages:
  load: { with: { records: rows.jsonl } }
  format: { from: load, with: { template: { prompt: '{{ instruction }}', header: ':', response: '{{ output }}' } } }
`,
  });
  expect((await rig.tuneloom('run')).stderr).toBe('');
  const { stdout } = await rig.tuneloom('show', 'format', '--json');
  expect(JSON.parse(stdout).content.items[0].segments).toEqual([
    { role: 'prompt', text: hostile },
    { role: 'header', text: ':' },
    { role: 'response', text: hostile },
  ]);
});

test('a regular expression of a tokenizer.json that never ends is stopped', () => {
  const tokenizer = openJsonTokenizer({
    path: 'tokenizer.json',
    text: JSON.stringify({
      model: { type: 'WordLevel', vocab: { a: 0, '<|endoftext|>': 1 }, unk_token: 'a' },
      pre_tokenizer: { type: 'Split', pattern: { Regex: '(a+)+$' }, behavior: 'Isolated', invert: false },
    }),
    config: {},
    milliseconds: 100,
  });
  expect(() => tokenizer.encode(`${'a'.repeat(50)}b`)).toThrow(
    'tokenizer.json cannot be used as a tokenizer: it takes more than 0.1 s for one text',
  );
});

test('work that ends in time gives its result or its own error, even if nested', () => {
  expect(withinTime(1000, () => withinTime(1000, () => 1))).toEqual({ value: { value: 1 } });
  expect(() => withinTime(1000, () => JSON.parse('{'))).toThrow(SyntaxError);
});
