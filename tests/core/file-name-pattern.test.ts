import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fileNamePattern, hasFilePattern } from '../../src/core/file-name-pattern.ts';

test('a star stands for any characters, as in a regular expression', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 8 });
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 8 });
  fc.assert(
    fc.property(text, name, (pattern, name) => {
      const escaped = pattern.replaceAll('.', '\\.').replaceAll(/\*+/g, '.*');
      expect(fileNamePattern(pattern)(name)).toBe(new RegExp(`^${escaped}$`).test(name));
    }),
    { seed: 1, numRuns: 500 },
  );
});

test('only the last name of a path is a pattern', () => {
  expect(['a/b*.jsonl', 'a*/b.jsonl', 'a/b.jsonl', '*'].map(hasFilePattern)).toEqual([
    true,
    false,
    false,
    true,
  ]);
});
