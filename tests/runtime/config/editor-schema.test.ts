import { readdirSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const root = new URL('../../../', import.meta.url);
const pipelines = readdirSync(new URL('pipelines', root)).filter(
  (name) => name.endsWith('.yaml') && !name.includes('.lock.'),
);
const ajv = new Ajv({ allErrors: true, strict: false });
const validate = ajv.compile(JSON.parse(readFileSync(new URL('schemas/pipeline.schema.json', root), 'utf8')));

const places = (pipeline: unknown): readonly string[] => {
  validate(pipeline);
  return [
    ...new Set(
      (validate.errors ?? [])
        .filter(({ keyword }) => keyword !== 'if')
        .map(({ instancePath }) => instancePath),
    ),
  ].sort();
};

test.each(pipelines)('an editor finds nothing wrong with pipelines/%s', (name) => {
  expect(places(parse(readFileSync(new URL(`pipelines/${name}`, root), 'utf8')))).toEqual([]);
});

test('an editor marks unknown fields, wherever the name of the stage comes from', () => {
  expect(
    places(
      parse(`
stages:
  split: { from: x, with: { parts: [train: rest], sed: 1 } }
  other: { uses: split, from: x, with: { parts: [train: rest], sed: 1 } }
  again: { uses: split, form: x, with: { parts: [train: rest] } }
`),
    ),
  ).toEqual(['/stages/again', '/stages/other/with', '/stages/split/with']);
});

test('an editor accepts a parameter in the place of any value', () => {
  expect(
    places(
      parse(`
stages:
  split: { from: x, with: { by: "\${params.by}", seed: "\${params.seed}", parts: [train: "\${params.share}"] } }
  other: { uses: split, from: x, with: "\${params.split}", retries: "\${params.retries}" }
`),
    ),
  ).toEqual([]);
});
