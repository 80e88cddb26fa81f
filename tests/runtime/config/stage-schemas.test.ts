import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { isObject, type Json, type JsonObject } from '../../../src/core/json.ts';
import { schema as pipelineSchema } from '../../../src/generated/validators/pipeline.js';
import {
  fillDefaults,
  propertiesOf,
  schemasIn,
} from '../../../src/runtime/config/schema/applicable-schemas.ts';
import { stageRegistry } from '../../../src/stages/registry.ts';

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });
ajv.addKeyword('x-key');

interface Field {
  readonly path: string;
  readonly schema: JsonObject;
}

/** Every field of a schema, those of nested maps, lists and branches included. */
function fieldsOf(schema: JsonObject, path = ''): readonly Field[] {
  const own = Object.entries(propertiesOf(schema)).map(([name, child]) => ({
    path: `${path}/${name}`,
    schema: child,
  }));
  const inside = [schema.items, schema.additionalProperties].filter((child) => isObject(child));
  const branches = ['oneOf', 'anyOf', 'allOf'].flatMap((keyword) => schemasIn(schema[keyword]));
  return [
    ...own,
    ...own.flatMap((field) => fieldsOf(field.schema, field.path)),
    ...[...inside, ...branches].flatMap((child) => fieldsOf(child, path)),
  ];
}

const schemas: readonly (readonly [string, JsonObject])[] = [
  ['the pipeline', pipelineSchema],
  ...[...stageRegistry.values()].map(({ name, schema }) => [name, schema] as const),
];

describe.each(schemas)('the schema of %s', (_, schema) => {
  test('is closed and says what it is for', () => {
    expect({ closed: schema.additionalProperties, described: typeof schema.description }).toEqual({
      closed: false,
      described: 'string',
    });
  });

  test('describes every field', () => {
    const silent = fieldsOf(schema).filter((field) => typeof field.schema.description !== 'string');
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  test('has only defaults and examples that it accepts itself', () => {
    const refused = fieldsOf(schema).flatMap(({ path, schema: field }) => {
      const examples = Array.isArray(field.examples) ? field.examples : [];
      const filled = field.default === undefined ? [] : [fillDefaults({ properties: { it: field } }, {}).it];
      const values: readonly (Json | undefined)[] = [...examples, ...filled];
      return values
        .filter((value) => !ajv.validate(field, value))
        .map((value) => `${path}: ${JSON.stringify(value)}`);
    });
    expect(refused).toEqual([]);
  });
});
