import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type JsonObject, parseExactly } from '../../../src/core/index.ts';
import { compileJinja, PythonError } from '../../../src/text/jinja/compile.ts';

/** Made by tests/fixtures/text/jinja.py: null where jinja2 raises an error. */
const { variables, cases } = parseExactly(
  readFileSync(new URL('../../fixtures/text/jinja.json', import.meta.url), 'utf8'),
) as {
  readonly variables: JsonObject;
  readonly cases: readonly (readonly [source: string, text: string | null])[];
};

const rules = { trimBlocks: true, lstripBlocks: true, keepTrailingNewline: false };

/** The text, null for an error, or the reason why this engine refuses what jinja2 renders. */
function outcome(source: string): string | null {
  try {
    return compileJinja(source, rules).render(variables).text;
  } catch (error) {
    return error instanceof PythonError && error.kind === 'Unsupported' ? `refused: ${error.message}` : null;
  }
}

test(`${cases.length} templates are written, or fail, as in jinja2`, () => {
  const differing = cases.flatMap(([source, text]) => {
    const own = outcome(source);
    return own === text || (text === null && own?.startsWith('refused: ')) ? [] : [[source, own]];
  });
  expect(differing).toEqual([
    ['{{ html | striptags }}', 'refused: `striptags` of a text with tags or entities is not supported'],
  ]);
});

test.each([
  ['{{ word.encode }}', '`encode` of a str is not supported'],
  ['{{ html | urlize }}', 'the filter `urlize` is not supported'],
  ['{{ list | random }}', 'the filter `random` is not supported'],
  ['{{ word.upper }}', 'writing the function `upper` without calling it is not supported'],
  [
    '{{ list | map("string") }}',
    'writing the result of a filter such as `map` or `select` without `| list` is not supported',
  ],
])('what Python has and this engine does not is refused by its name: %s', (source, message) => {
  expect(() => compileJinja(source, rules).render(variables)).toThrow(message);
});
