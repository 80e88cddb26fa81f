import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import { compareMaterial } from '../../../src/runtime/key/compare-material.ts';
import { digestOf, type PortContent } from '../../../src/runtime/key/digest.ts';
import { cacheKeyOf, type KeyMaterial, keyMaterialOf } from '../../../src/runtime/key/key-material.ts';
import { describeDifference } from '../../../src/runtime/plan/describe-reason.ts';
import type { StageDefinition } from '../../../src/runtime/stage/stage-definition.ts';
import { tinyDag } from '../rig/tiny-dag.ts';
import { append, read } from '../rig/tiny-stages.ts';

const digest = (digit: string) => digestOf('file', digit.repeat(64));

function materialOf(stage: {
  readonly definition?: StageDefinition;
  readonly config: JsonObject;
  readonly inputs?: Record<string, PortContent>;
  readonly file?: string;
}): KeyMaterial {
  const { definition = append, config, inputs = {}, file = '/project/tiny.yaml' } = stage;
  const registry = new Map([['stage', definition]]);
  const [node] = tinyDag({ file, registry, stages: { one: { uses: 'stage', with: config } } }).nodes.values();
  if (node === undefined) throw new Error('no stage');
  const sources = new Map(node.sources.map(({ path }) => [path, digest('a')]));
  return keyMaterialOf({ node, inputs, sources });
}

const keyOf = (stage: Parameters<typeof materialOf>[0]): string => cacheKeyOf(materialOf(stage));

test('the key is the SHA-256 of the material in canonical JSON', () => {
  const inputs = { text: { parts: { b: digest('b'), a: digest('a') } } };
  const material = materialOf({ config: { suffix: '!' }, inputs });
  const written =
    '{"config":{"suffix":"!"},"format":1,"inputs":{"text":{"parts":' +
    `{"a":"sha256:${'a'.repeat(64)}","b":"sha256:${'b'.repeat(64)}"}}},"uses":"append","version":1}`;
  expect(cacheKeyOf(material)).toBe(createHash('sha256').update(written).digest('hex'));
});

test('a key does not depend on where the pipeline is or what its source is called', () => {
  const here = keyOf({ definition: read, config: { path: 'letters.txt' } });
  expect(keyOf({ definition: read, config: { path: '../far/other.txt' }, file: '/elsewhere/x.yaml' })).toBe(
    here,
  );
  expect(materialOf({ definition: read, config: { path: 'letters.txt' } }).config).toEqual({
    path: { $content: `sha256:${'a'.repeat(64)}` },
  });
});

test('a field marked none is never in the key; one marked unless-default is only if it has another value', () => {
  const plain = keyOf({ config: { suffix: '!' } });
  expect(keyOf({ config: { suffix: '!', label: 'x' } })).toBe(plain);
  expect(keyOf({ config: { suffix: '!', mode: 'plain' } })).toBe(plain);
  expect(keyOf({ config: { suffix: '!', mode: 'loud' } })).not.toBe(plain);
});

test('a version for some configurations changes the keys of those alone', () => {
  const definition: StageDefinition = {
    ...append,
    versionOf: ({ suffix }) => (suffix === '!' ? 2 : append.version),
  };
  expect(materialOf({ definition, config: { suffix: '!' } }).version).toBe(2);
  expect(keyOf({ definition, config: { suffix: '?' } })).toBe(keyOf({ config: { suffix: '?' } }));
});

test('marks count inside lists, maps and the branch of a oneOf that the value takes', () => {
  const definition: StageDefinition = {
    ...append,
    schema: {
      type: 'object',
      properties: {
        list: {
          type: 'array',
          items: { type: 'object', properties: { note: { type: 'string', 'x-key': 'none' } } },
        },
        model: {
          oneOf: [
            {
              type: 'object',
              properties: { kind: { const: 'a' }, url: { type: 'string', 'x-key': 'none' } },
            },
            { type: 'object', properties: { kind: { const: 'b' }, url: { type: 'string' } } },
          ],
        },
      },
    },
  };
  const config = (kind: string): JsonObject => ({
    list: [{ size: 1, note: 'mine' }],
    model: { kind, url: 'http://here' },
  });
  expect(materialOf({ definition, config: config('a') }).config).toEqual({
    list: [{ size: 1 }],
    model: { kind: 'a' },
  });
  expect(materialOf({ definition, config: config('b') }).config).toEqual({
    list: [{ size: 1 }],
    model: { kind: 'b', url: 'http://here' },
  });
});

const shuffled = (value: Json): Json => {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, member]): [string, Json] => [name, shuffled(member)])
      .reverse(),
  );
};

const configs = fc.dictionary(
  fc.string().filter((name) => name !== 'path'),
  fc.jsonValue().map((value): Json => JSON.parse(JSON.stringify(value))),
);

test('the order of fields means nothing to a key', () => {
  fc.assert(
    fc.property(configs, (config) => {
      const other = shuffled(config);
      expect(keyOf({ config: other as JsonObject })).toBe(keyOf({ config }));
    }),
  );
});

test('keys are equal exactly where no difference is found', () => {
  fc.assert(
    fc.property(configs, configs, (a, b) => {
      const [before, after] = [materialOf({ config: a }), materialOf({ config: b })];
      expect(compareMaterial(before, after).length === 0).toBe(cacheKeyOf(before) === cacheKeyOf(after));
      expect(compareMaterial(before, before)).toEqual([]);
    }),
  );
});

test('a difference names its field, with both values', () => {
  const before = materialOf({
    config: { suffix: '!', optimizer: { rate: 1e-4, betas: [0.9, 0.99] }, 'a/b': 1 },
    inputs: { text: digest('a'), rest: { parts: { x: digest('a'), y: digest('a') } } },
  });
  const after: KeyMaterial = {
    ...materialOf({
      config: { optimizer: { rate: 5e-5, betas: [0.9, 0.999] }, 'a/b': 2, constructor: 1 },
      inputs: { text: digest('b'), rest: { parts: { x: digest('a'), y: digest('c') } } },
    }),
    version: 2,
  };
  expect(compareMaterial(before, after)).toEqual([
    { kind: 'version', before: 1, after: 2 },
    { kind: 'config', pointer: '/a~1b', before: 1, after: 2 },
    { kind: 'config', pointer: '/constructor', after: 1 },
    { kind: 'config', pointer: '/optimizer/betas/1', before: 0.99, after: 0.999 },
    { kind: 'config', pointer: '/optimizer/rate', before: 0.0001, after: 0.00005 },
    { kind: 'config', pointer: '/suffix', before: '!' },
    { kind: 'input', port: 'rest', part: 'y', before: digest('a'), after: digest('c') },
    { kind: 'input', port: 'text', before: digest('a'), after: digest('b') },
  ]);
  expect(compareMaterial(before, after).map(describeDifference)).toEqual([
    "the stage's version changed from 1 to 2",
    '`with.a/b` changed from 1 to 2',
    '`with.constructor` is now 1',
    '`with.optimizer.betas.1` changed from 0.99 to 0.999',
    '`with.optimizer.rate` changed from 0.0001 to 0.00005',
    '`with.suffix` is no longer "!"',
    'input `rest.y` changed',
    'input `text` changed',
  ]);
});

test('a field that is now a file is described as a file', () => {
  const [digestA, digestB] = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`] as const;
  const before = materialOf({
    config: { model: { $content: digestA }, all: [{ $content: digestB }] },
  });
  const after = materialOf({ config: { model: { init: { width: 32 } }, all: [] } });
  const differences = compareMaterial(before, after);
  expect(differences).toEqual([
    { kind: 'config', pointer: '/all', before: [`a file (${digestB})`], after: [] },
    { kind: 'config', pointer: '/model', before: `a file (${digestA})`, after: { init: { width: 32 } } },
  ]);
  expect(differences.map(describeDifference)).toEqual([
    `\`with.all\` changed from ["a file (${digestB.slice(0, 19)})"] to []`,
    `\`with.model\` changed from "a file (${digestA.slice(0, 19)})" to {"init":{"width":32}}`,
  ]);
});
