import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseYaml } from '../../../src/runtime/yaml/parse-yaml.ts';
import { yamlToJson } from '../../../src/runtime/yaml/yaml-doc.ts';

const fileOf = (text: string) => ({ path: '/example.yaml', displayPath: 'example.yaml', text });

test('every JSON value is read back as it is, whatever its keys are called', () => {
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(null, true, false),
      fc.maxSafeInteger(),
      fc
        .double({ noNaN: true, noDefaultInfinity: true })
        .filter((number) => !Object.is(number, -0) && Math.abs(number) < 2 ** 53),
      fc.string({ unit: 'grapheme' }),
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(
        fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString')),
        tie('tree'),
        {
          maxKeys: 4,
          noNullPrototype: true,
        },
      ),
    ),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      const { value: doc, diagnostics } = parseYaml(fileOf(JSON.stringify(value)));
      expect(diagnostics).toEqual([]);
      expect(JSON.stringify(doc && yamlToJson(doc.root))).toBe(JSON.stringify(value));
    }),
  );
});

test('any text at all is read or refused with places inside it, and never throws', () => {
  const pieces = fc.constantFrom(
    'a',
    ': ',
    '- ',
    '\n',
    '  ',
    '\t',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '&x',
    '*x',
    '!t',
    '${',
    '#',
    '|',
    '>',
    '---\n',
    '? ',
    ',',
    '\u0000',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
      const text = parts.join('');
      for (const { span } of parseYaml(fileOf(text)).diagnostics) {
        expect(span?.start).toBeLessThanOrEqual(text.length);
        expect(span?.start).toBeGreaterThanOrEqual(0);
      }
    }),
    { numRuns: 1000 },
  );
});

test.each(['[', '{a: ', '- ', '? ', '"', '&a [*a, '])(
  'twenty thousand times %j is refused, not a crash',
  (piece) => {
    const { value, diagnostics } = parseYaml(fileOf(piece.repeat(20_000)));
    expect({ value, told: diagnostics.length }).toEqual({ value: undefined, told: 1 });
  },
);

test("values are those of YAML 1.2's core schema: no dates, no yes, no octal by a leading zero", () => {
  const text = '[2026-01-01, yes, no, on, 010, 0o10, 0x10, 1e-4, 1_000, ~, null, True, .5, +1, "1", 12:30]';
  const { value } = parseYaml(fileOf(text));
  expect(value && yamlToJson(value.root)).toEqual([
    '2026-01-01',
    'yes',
    'no',
    'on',
    10,
    8,
    16,
    0.0001,
    '1_000',
    null,
    null,
    true,
    0.5,
    1,
    '1',
    '12:30',
  ]);
});

test('an alias is a copy of its anchor, the nearest one above', () => {
  const { value } = parseYaml(fileOf('a: &x { n: 1 }\nb: *x\nc: &x 2\nd: *x'));
  expect(value && yamlToJson(value.root)).toEqual({ a: { n: 1 }, b: { n: 1 }, c: 2, d: 2 });
});
