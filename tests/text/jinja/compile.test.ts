import { describe, expect, test } from 'vitest';
import { ExactNumber } from '../../../src/core/index.ts';
import { compileJinja, failureIn } from '../../../src/text/jinja/compile.ts';

const rules = { trimBlocks: true, lstripBlocks: true, keepTrailingNewline: false };
const compiled = (source: string) => compileJinja(source, rules);

const failure = (source: string, variables = {}): string => {
  try {
    compiled(source).render(variables);
  } catch (error) {
    return failureIn(error, source);
  }
  return 'none';
};

describe('what {% generation %} writes is reported by its place in the text', () => {
  test('in loops, without markers in the text', () => {
    const template = compiled(
      '{% for m in messages %}<{{ m.role }}>{% if m.role == "a" %}{% generation %}{{ m.text }}</>\n{% endgeneration %}{% else %}{{ m.text }}{% endif %}{% endfor %}',
    );
    const messages = [
      { role: 'u', text: '😀' },
      { role: 'a', text: 'one' },
      { role: 'a', text: '' },
    ];
    expect(template.marksGeneration).toBe(true);
    expect(template.render({ messages })).toEqual({
      text: '<u>😀<a>one</>\n<a></>\n',
      generated: [
        { start: 8, end: 15 },
        { start: 18, end: 22 },
      ],
      read: undefined,
    });
  });

  test('in a macro whose text is written where it is called', () => {
    const source =
      '{% macro turn(m) %}[{% generation %}{{ m }}{% endgeneration %}]{% endmacro %}' +
      '{% macro all() %}({{ turn(1) }}{{ turn(2) }}){% endmacro %}a{{ all() }}';
    expect(compiled(source).render({})).toEqual({
      text: 'a([1][2])',
      generated: [
        { start: 3, end: 4 },
        { start: 6, end: 7 },
      ],
      read: undefined,
    });
  });

  test('but not if the template moves the text afterwards, which is an error', () => {
    const source = '{% set x %}{% generation %}abc{% endgeneration %}{% endset %}later {{ x }}';
    expect(failure(source)).toBe(
      'it changes or moves the text of a {% generation %} block after the block, which is not supported',
    );
  });
});

test('the values that a template reads are reported by their JSON pointers', () => {
  const row = {
    messages: [{ role: 'user', content: 'Hi', weight: 0, 'a/b': { c: 1 } }],
    tools: [{ name: 't' }],
    history: [],
  };
  const read = (source: string) => [...(compiled(source).render(row, { trackReads: true }).read ?? [])];
  expect(read('{% for m in messages %}{{ m.role }}{{ m["a/b"].get("c") }}{% endfor %}')).toEqual([
    '/messages',
    '/messages/0/role',
    '/messages/0/a~1b',
    '/messages/0/a~1b/c',
  ]);
  expect(read('{% if "weight" in messages[0] and tools %}{{ tools | tojson }}{% endif %}')).toEqual([
    '/messages',
    '/tools',
    '/tools/0/name',
  ]);
});

test('numbers are written as the file spells them', () => {
  const numbers = {
    temperature: new ExactNumber('20.0'),
    id: new ExactNumber('12345678901234567890'),
    step: 0.00001,
    count: 20,
  };
  const source = '{{ n | tojson }} {{ n.id + 1 }} {{ n.temperature / 2 }} {{ n.step }} {{ n.count }}';
  expect(compiled(source).render({ n: numbers }).text).toBe(
    '{"temperature": 20.0, "id": 12345678901234567890, "step": 1e-05, "count": 20} 12345678901234567891 10.0 1e-05 20',
  );
});

describe('an error names the line and the expression', () => {
  test.each([
    ['a\n{{ "a" + about }}', 'line 2: can only concatenate str (not "dict") to str in `{{ "a" + about }}`'],
    ['{{ about.x.y }}', "'dict object' has no attribute 'x' in `{{ about.x.y }}`"],
    ['a\n\n{% if x > 1 %}{% endif %}', "line 3: 'x' is undefined"],
    ['a\n{{ about | nope }}', "line 2: No filter named 'nope'."],
    ['{% include "a" %}', '{% include %} is not supported'],
  ])('%s', (source, message) => {
    expect(failure(source, { about: { a: 1 } })).toBe(message);
  });
});

describe('a template that never ends or only grows ends with a reason', () => {
  test.each([
    [`{% set x = "a" %}${'{% set x = x ~ x %}'.repeat(40)}`, 'it makes a text of 33554432 characters'],
    [`{% set x = [1] %}${'{% set x = x + x %}'.repeat(40)}`, 'it makes a list of 1048576 items'],
    ['{% set x = "ab" * 99999999 %}', 'it makes a text of 199999998 characters'],
    ['{% set x = 9 ** 99999 %}', 'it makes a number of more than 4300 digits'],
    ['{{ "%999999999d" % 1 }}', 'it makes a text of 999999999 characters in `{{ "%999999999d" % 1 }}`'],
    [
      '{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}',
      'macros call each other more than 200 levels deep in `{{ m() }}`',
    ],
    [
      '{{ range(999999) }}',
      'Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000). in `{{ range(999999) }}`',
    ],
    [`{{ ${'('.repeat(300)}1${')'.repeat(300)} }}`, 'it is nested more than 200 levels deep'],
    [`{{ 1${' + 1'.repeat(20000)} }}`, 'it is nested too deeply'],
  ])('%#', (source, message) => {
    expect(failure(source)).toBe(message);
  });
});
