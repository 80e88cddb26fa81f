import type { Json, JsonObject } from '../../../json.ts';
import type { ConfigSchema } from '../../stage/stage-definition.ts';
import { applicableSchemas, childSchema, propertiesOf } from './applicable-schemas.ts';

/** A valid configuration with the schema's defaults in it, also those of the branch of a `oneOf` that it takes. */
export function fillDefaults(schema: ConfigSchema, config: JsonObject): JsonObject {
  const filled = fill([schema], config);
  return isMap(filled) ? filled : config;
}

function fill(schemas: readonly ConfigSchema[], value: Json): Json {
  const applicable = schemas.flatMap((schema) => applicableSchemas(schema, value));
  const childrenOf = (key: string): readonly ConfigSchema[] =>
    applicable.map((schema) => childSchema(schema, key)).filter((schema) => schema !== undefined);
  if (Array.isArray(value)) return value.map((item, index) => fill(childrenOf(String(index)), item));
  if (!isMap(value)) return value;
  const whole: JsonObject = { ...defaultsOf(applicable), ...value };
  return Object.fromEntries(Object.entries(whole).map(([key, child]) => [key, fill(childrenOf(key), child)]));
}

function defaultsOf(schemas: readonly ConfigSchema[]): JsonObject {
  const fields = schemas.flatMap((schema) => Object.entries(propertiesOf(schema)));
  const defaults = fields.map(([name, field]): readonly [string, Json | undefined] => [name, field.default]);
  return Object.fromEntries(defaults.filter((entry): entry is [string, Json] => entry[1] !== undefined));
}

const isMap = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
