import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { jinjaTemplate } from '../../../src/text/template/jinja-template.ts';

const promptOf = (prompt: string) => jinjaTemplate({ prompt, header: '', response: '' });

test('a template writes its segments, white space and final line feeds unchanged', () => {
  const template = jinjaTemplate({
    prompt:
      'Q: {{ q }}{% if input %}\nI: {{ input }}{% endif %}{% for turn in turns %}[{{ turn.role }}]{% endfor %}',
    header: '\nA:\n',
    response: '{{ a }}',
  });
  expect(template({ q: 'one', a: '1', turns: [] })).toEqual([
    { role: 'prompt', text: 'Q: one' },
    { role: 'header', text: '\nA:\n' },
    { role: 'response', text: '1' },
  ]);
  expect(template({ q: 'two', input: 'more', a: '2', turns: [{ role: 'user' }] })[0]?.text).toBe(
    'Q: two\nI: more[user]',
  );
});

interface PythonCases {
  readonly row: JsonObject;
  readonly cases: readonly { readonly source: string; readonly text: string }[];
}
const python: PythonCases = JSON.parse(
  readFileSync(new URL('../../fixtures/text/templates.json', import.meta.url), 'utf8'),
);

test.each(python.cases)('$source is written as by Python’s Jinja', ({ source, text }) => {
  expect(promptOf(source)(python.row)).toEqual([{ role: 'prompt', text }]);
});

test('a truth value is written as Python writes it', () => {
  expect(promptOf('{{ flag }}')({ flag: true })).toEqual([{ role: 'prompt', text: 'True' }]);
});

test('a value is data: whatever it contains is written as it stands', () => {
  const template = promptOf('<{{ value }}>');
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'grapheme' }),
        fc.constantFrom('{{ other }}', '{% if x %}', '{# #}', '{{ range(9) }}'),
      ),
      (value) => {
        expect(template({ value, other: 'secret' })).toEqual([{ role: 'prompt', text: `<${value}>` }]);
      },
    ),
  );
});

test('a value that is written but missing or null is an error that names it', () => {
  const template = promptOf('{{ question }} {{ turn.text }}');
  expect(() => template({ turn: { text: 't' } })).toThrow('it has no field `question`');
  expect(() => template({ question: null, turn: { text: 't' } })).toThrow('its field `question` is null');
  expect(() => template({ question: 'q', turn: {} })).toThrow('the template fails: `turn.text` has no value');
});

test('macros, loops and variables work as Jinja has them', () => {
  const source =
    "{% macro turn(who, what='nothing') %}{{ who }}: {{ what }}\n{% endmacro %}" +
    "{% set last = 'nobody' %}{% for t in turns %}{{ turn(t.who, t.what) }}{{ turn(t.who) }}{% else %}none {% endfor %}" +
    '{{ last }} {{ turns | length }}';
  const turns = [
    { who: 'a', what: 'x' },
    { who: 'b', what: 'y' },
  ];
  expect(promptOf(source)({ turns })).toEqual([
    { role: 'prompt', text: 'a: x\na: nothing\nb: y\nb: nothing\nnobody 2' },
  ]);
  expect(promptOf(source)({ turns: [] })).toEqual([{ role: 'prompt', text: 'none nobody 0' }]);
});

test("fields named like the language's own words do no harm", () => {
  expect(
    promptOf('{% for i in range(2) %}{{ i }}{% endfor %}{{ a }}')({ a: 'x', range: 'r', true: 'no' }),
  ).toEqual([{ role: 'prompt', text: '01x' }]);
});

test.each([
  ['{{ a', 'the template does not parse: unexpected end of template, expected the end of the tag'],
  ['{% if a %}x', 'the template does not parse: unexpected end of template; it lacks {% endif %}'],
  ['{% nope %}', "the template does not parse: unknown tag 'nope'"],
  [
    "{{ strftime_now('%Y') }}",
    'the template reads the clock with `strftime_now`, so that no two runs would write the same',
  ],
])('the template %s is refused', (source, message) => {
  expect(() => promptOf(source)).toThrow(expect.objectContaining({ code: 'bad-template', message }));
});
