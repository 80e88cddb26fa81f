import { expect, test } from 'vitest';
import { stageSchemas } from '../../src/generated/stage-schemas.ts';
import { fieldsOfPeers, peerFields } from '../../src/stages/peer-fields.ts';

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

const has = (
  { properties, anyOf = [], oneOf = [] }: Schema,
  [name = '', ...rest]: readonly string[],
): boolean =>
  (properties?.[name] !== undefined && (rest.length === 0 || has(properties[name], rest))) ||
  [...anyOf, ...oneOf].some((schema) => has(schema, [name, ...rest]));

test("every field that another program's name leads to exists", () => {
  const missing = fieldsOfPeers.filter(
    ([stage, field]) => !has(stageSchemas[stage].schema as Schema, field.split('.')),
  );
  expect(missing).toEqual([]);
});

test('no stage has a field of such a name, and each name is listed once', () => {
  const own = Object.values(stageSchemas).flatMap(({ schema }) =>
    Object.keys((schema as Schema).properties ?? {}),
  );
  expect(own.filter((name) => peerFields.has(name))).toEqual([]);
  const names = fieldsOfPeers.flatMap(([, , theirs]) => theirs);
  expect(new Set(names).size).toBe(names.length);
});
