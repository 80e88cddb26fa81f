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

const stages = [...stageRegistry.values()].map(({ name, schema }) => [name, schema] as const);

test.each(stages)('every field of %s has an example', (_, schema) => {
  const lacking = fieldsOf(schema).filter((field) => field.schema.examples === undefined);
  expect(lacking.map(({ path }) => path)).toEqual([]);
});

describe.each([['the pipeline', pipelineSchema] as const, ...stages])('the schema of %s', (_, schema) => {
  test('is closed and says what it is for', () => {
    expect({
      additionalProperties: schema.additionalProperties,
      description: typeof schema.description,
    }).toEqual({ additionalProperties: false, description: 'string' });
  });

  test('closes every map and describes every field', () => {
    const lacking = fieldsOf(schema).flatMap(({ path, schema: field }) => [
      ...(typeof field.description === 'string' ? [] : [`${path}: no description`]),
      ...(isObject(field.properties) && field.additionalProperties === undefined
        ? [`${path}: no additionalProperties`]
        : []),
    ]);
    expect(lacking).toEqual([]);
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
