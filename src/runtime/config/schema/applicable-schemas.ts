import { isList, isObject, type Json, type JsonObject, suggest } from '../../../core/index.ts';
import type { ConfigSchema } from '../../stage/stage-definition.ts';

/**
 * All schemas that apply to a valid value: the schema itself and the branches of its combinations that the value takes,
 * outermost first.
 */
export function applicableSchemas(schema: ConfigSchema, value: Json): readonly ConfigSchema[] {
  if (!combinations.some((name) => name in schema)) return [schema];
  const branches = [
    ...schemasIn(schema.allOf),
    ...schemasIn(schema.anyOf).filter((branch) => fits(branch, value)),
    ...schemasIn(schema.oneOf).filter((branch) => fits(branch, value)),
    ...conditional(schema, value),
  ];
  return [schema, ...branches.flatMap((branch) => applicableSchemas(branch, value))];
}

const combinations = ['allOf', 'anyOf', 'oneOf', 'if'];

function conditional(schema: ConfigSchema, value: Json): readonly ConfigSchema[] {
  const condition = schema.if;
  if (!isObject(condition)) return [];
  const taken = schema[fits(condition, value) ? 'then' : 'else'];
  return isObject(taken) ? [taken] : [];
}

/** The schema of a map's value or of a list's item, where this schema has one. */
export function childSchema(schema: ConfigSchema, key: string): ConfigSchema | undefined {
  const own = propertiesOf(schema)[key];
  if (own !== undefined) return own;
  const rest = schema.additionalProperties;
  if (isObject(rest)) return rest;
  const items = schema.items;
  return /^\d+$/.test(key) && isObject(items) ? items : undefined;
}

/** The schemas of a map's fields by name. The record has no prototype, so every key is a field. */
export function propertiesOf(schema: ConfigSchema): Readonly<Record<string, ConfigSchema>> {
  const known = knownProperties.get(schema);
  if (known !== undefined) return known;
  const properties = schema.properties;
  const fields = isObject(properties) ? Object.entries(properties) : [];
  const found: Readonly<Record<string, ConfigSchema>> = Object.assign(
    Object.create(null),
    Object.fromEntries(fields.filter(([, child]) => isObject(child))),
  );
  knownProperties.set(schema, found);
  return found;
}

/** Schemas never change, and thousands of stages share one. */
const knownProperties = new WeakMap<ConfigSchema, Readonly<Record<string, ConfigSchema>>>();

/** Whether anything in a JSON value, at any depth, is a member for which `test` holds. */
export function someMember(json: Json, test: (name: string, value: Json) => boolean): boolean {
  if (isList(json)) return json.some((item) => someMember(item, test));
  if (!isObject(json)) return false;
  return Object.entries(json).some(([name, value]) => test(name, value) || someMember(value, test));
}

export function schemasIn(list: Json | undefined): readonly ConfigSchema[] {
  return isList(list) ? list.filter((one) => isObject(one)) : [];
}

/** Whether a value fits a branch. It only needs to tell branches apart: the value is known to fit one. */
function fits(schema: ConfigSchema, value: Json): boolean {
  if ('const' in schema && !equal(schema.const, value)) return false;
  const choices = schema.enum;
  if (Array.isArray(choices) && !choices.some((choice) => equal(choice, value))) return false;
  if (!hasType(schema.type, value)) return false;
  const pattern = schema.pattern;
  if (typeof pattern === 'string' && typeof value === 'string' && !new RegExp(pattern, 'u').test(value))
    return false;
  if (isObject(schema.not) && fits(schema.not, value)) return false;
  return fitsMap(schema, value) && fitsList(schema, value) && fitsCombinations(schema, value);
}

function fitsMap(schema: ConfigSchema, value: Json): boolean {
  if (!isObject(value)) return true;
  const properties = propertiesOf(schema);
  const required = schema.required;
  if (Array.isArray(required) && required.some((key) => !Object.hasOwn(value, String(key)))) return false;
  const closed = schema.additionalProperties === false;
  return Object.entries(value).every(([key, child]) => {
    const expected = childSchema(schema, key);
    return expected === undefined ? !closed || key in properties : fits(expected, child);
  });
}

function fitsList(schema: ConfigSchema, value: Json): boolean {
  const items = schema.items;
  return !Array.isArray(value) || !isObject(items) || value.every((item) => fits(items, item));
}

function fitsCombinations(schema: ConfigSchema, value: Json): boolean {
  const alternatives = [...schemasIn(schema.oneOf), ...schemasIn(schema.anyOf)];
  if (alternatives.length > 0 && !alternatives.some((branch) => fits(branch, value))) return false;
  return schemasIn(schema.allOf).every((branch) => fits(branch, value));
}

function hasType(type: Json | undefined, value: Json): boolean {
  if (type === undefined) return true;
  const types = Array.isArray(type) ? type : [type];
  return types.some((name) => name === typeOf(value) || (name === 'integer' && Number.isInteger(value)));
}

function typeOf(value: Json): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

/** Only scalars tell branches apart. */
const equal = (expected: Json | undefined, value: Json): boolean =>
  expected === value || JSON.stringify(expected) === JSON.stringify(value);

/** A valid configuration with the schema's defaults, those of the `oneOf` branches that it takes included. */
export function fillDefaults(schema: ConfigSchema, config: JsonObject): JsonObject {
  const filled = fill([schema], config);
  return isObject(filled) ? filled : config;
}

function fill(schemas: readonly ConfigSchema[], value: Json): Json {
  const applicable = schemas.flatMap((schema) => applicableSchemas(schema, value));
  const childrenOf = (key: string): readonly ConfigSchema[] =>
    applicable.map((schema) => childSchema(schema, key)).filter((schema) => schema !== undefined);
  if (Array.isArray(value)) return value.map((item, index) => fill(childrenOf(String(index)), item));
  if (!isObject(value)) return value;
  const whole: JsonObject = { ...defaultsOf(applicable), ...value };
  return Object.fromEntries(Object.entries(whole).map(([key, child]) => [key, fill(childrenOf(key), child)]));
}

function defaultsOf(schemas: readonly ConfigSchema[]): JsonObject {
  const fields = schemas.flatMap((schema) => Object.entries(propertiesOf(schema)));
  const defaults = fields.map(([name, field]): readonly [string, Json | undefined] => [name, field.default]);
  return Object.fromEntries(defaults.filter((entry): entry is [string, Json] => entry[1] !== undefined));
}

/** The path of the field of that name anywhere in the schema, or else of one with a similar name. */
export function findField(schema: ConfigSchema, name: string): readonly string[] | undefined {
  const paths = [...fieldPaths(schema, [])];
  const exact = paths.find((path) => path.at(-1) === name);
  if (exact !== undefined) return exact;
  const alike = suggest(name, new Set(paths.map((path) => path.at(-1) ?? '')));
  return paths.find((path) => path.at(-1) === alike);
}

/** Outermost first, without fields of lists' items, which have no path of names alone. */
function* fieldPaths(schema: ConfigSchema, above: readonly string[]): Generator<readonly string[]> {
  const fields = Object.entries(propertiesOf(schema));
  for (const [name] of fields) yield [...above, name];
  for (const [name, field] of fields) yield* fieldPaths(field, [...above, name]);
  const combined = [schema.allOf, schema.anyOf, schema.oneOf].flatMap(schemasIn);
  const conditional = [schema.then, schema.else].filter((one) => isObject(one));
  for (const branch of [...combined, ...conditional]) yield* fieldPaths(branch, above);
}
