import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, ExactNumber, isObject, jsonText, parseExactly } from '../../src/core/index.ts';

describe('a number that JavaScript would write differently is written back as it was read', () => {
  test.each(
    ['20.0', '-0.0', '1e-05', '1E5', '1.5e3', '1e+16', '0.00001e0', '1.0e2', '0.99999999999999999999'].concat(
      ['12345678901234567890', '-9223372036854775808', '9007199254740993', '100000000000000000000000'],
      ['3.14159265358979323846'],
    ),
  )('%s', (number) => {
    const text = `{"a":${number},"b":[${number},"${number}"]}`;
    const value = parseExactly(text);
    expect(jsonText(value)).toBe(text);
    expect(canonicalJson(value)).toBe(text);
    expect(value).toEqual({
      a: new ExactNumber(number),
      b: [new ExactNumber(number), number],
    });
    expect(JSON.stringify(value)).toBe(JSON.stringify(JSON.parse(text)));
  });

  test.each(['20', '0.5', '-7', '1.50', '9007199254740991', '10000000000000000000', '0.1', '1e999', '-0'])(
    '%s is a plain number',
    (number) => {
      expect(parseExactly(`[${number}]`)).toEqual([Number(number)]);
    },
  );
});

test('it is the nearest double in arithmetic and its spelling in text', () => {
  const number = new ExactNumber('20.0');
  expect([Number(number) / 8, `${number}`, isObject(number)]).toEqual([2.5, '20.0', false]);
});

const numberText = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value.toExponential()),
  fc.bigInt().map(String),
  fc.integer().map((value) => `${value}.0`),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }).map(String),
);
const jsonOf: fc.Arbitrary<string> = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    numberText,
    fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(`${text}\\" 1.0, 2e5`)),
    fc.array(tie('json'), { maxLength: 4 }).map((items) => `[${items.join(' , ')}]`),
    fc
      .array(fc.tuple(fc.string(), tie('json')), { maxLength: 4 })
      .map((items) => `{${items.map(([name, item]) => `${JSON.stringify(name)} : ${item}`).join(',\n')}}`),
  ),
})).json;

test('any JSON is read as JSON.parse reads it, and read again from its own text as the same', () => {
  fc.assert(
    fc.property(jsonOf, (text) => {
      const value = parseExactly(text);
      expect(JSON.stringify(value)).toBe(JSON.stringify(JSON.parse(text)));
      expect(parseExactly(jsonText(value))).toEqual(value);
    }),
  );
});

test('text that is not JSON is refused as by JSON.parse', () => {
  expect(() => parseExactly('{"a": 1.0,}')).toThrow(SyntaxError);
  expect(() => parseExactly('[01.0]')).toThrow(SyntaxError);
});
