import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hideSecrets, SecretFilter, secretsIn } from '../../src/runtime/stage/hide-secrets.ts';

const filtered = (pieces: readonly string[], secrets: readonly string[]): string => {
  const filter = new SecretFilter(secrets);
  return [...pieces.map((piece) => filter.push(piece)), filter.end()].join('');
};

test('overlapping secrets, and one that begins another, are hidden whole', () => {
  const secrets = secretsIn(['abcdef', 'defghi', 'abcdefgh', 'short']);
  expect(hideSecrets('-abcdefghi-abcdefgh-abcdef-abcde-short', secrets)).toBe(
    '-<secret>-<secret>-<secret>-abcde-short',
  );
});

test('a text that arrives in pieces is shown as if it came at once, however it is cut', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '-'), minLength: 6, maxLength: 9 });
  const pieces = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '-'), maxLength: 12 }), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(fc.array(letters, { minLength: 1, maxLength: 3 }), pieces, (values, texts) => {
      const secrets = secretsIn(values);
      // Some of the pieces are secrets.
      const text = texts.map((each, index) => (index % 3 === 0 ? (values[0] ?? '') : each)).join('');
      const cuts = texts.map(({ length }) => length);
      const cutTexts = cuts.map((length, index) => {
        const from = cuts.slice(0, index).reduce((sum, one) => sum + one, 0);
        return text.slice(from, from + length);
      });
      const rest = text.slice(cuts.reduce((sum, one) => sum + one, 0));
      expect(filtered([...cutTexts, rest], secrets)).toBe(hideSecrets(text, secrets));
    }),
    { numRuns: 500, seed: 7 },
  );
});
