import type { Json, JsonObject } from '../../json.ts';

interface Subject {
  readonly root: JsonObject;
  readonly value: Json;
}

/** A schema with everything it refers to that applies to a valid value: `$ref`, `allOf`, and the branches that admit it. */
export function schemasFor(schema: JsonObject, subject: Subject): readonly JsonObject[] {
  const target = resolve(schema, subject.root);
  const branches = [...schemaList(target.oneOf), ...schemaList(target.anyOf)]
    .map((branch) => resolve(branch, subject.root))
    .filter((branch) => admits(branch, subject));
  const applied = [...schemaList(target.allOf), ...branches];
  return [
    schema,
    ...(target === schema ? [] : [target]),
    ...applied.flatMap((each) => schemasFor(each, subject)),
  ];
}

/** The schemas of an object's member, by its name. */
export function memberSchemas(
  schemas: readonly JsonObject[],
  member: Subject & { readonly name: string },
): readonly JsonObject[] {
  return schemas.flatMap((schema) => {
    const named = memberOf(schema.properties, member.name) ?? schema.additionalProperties;
    return isSchema(named) ? schemasFor(named, member) : [];
  });
}

/** The schemas of a list's item. */
export function itemSchemas(
  schemas: readonly JsonObject[],
  item: Subject & { readonly index: number },
): readonly JsonObject[] {
  return schemas.flatMap((schema) => {
    const items = schema.items;
    const found = Array.isArray(items) ? items[item.index] : items;
    return isSchema(found) ? schemasFor(found, item) : [];
  });
}

/** Whether a value that some branch accepts can be meant for this one: types, constants and names tell branches apart. */
function admits(schema: JsonObject, subject: Subject): boolean {
  const target = resolve(schema, subject.root);
  const { value } = subject;
  if (!hasType(target.type, value)) return false;
  if (target.const !== undefined && target.const !== value) return false;
  if (Array.isArray(target.enum) && !target.enum.includes(value)) return false;
  return !isSchema(value) || admitsMembers(target, { root: subject.root, value });
}

function admitsMembers(
  schema: JsonObject,
  subject: { readonly root: JsonObject; readonly value: JsonObject },
): boolean {
  const { root, value } = subject;
  const required = Array.isArray(schema.required) ? schema.required : [];
  if (!required.every((name) => typeof name === 'string' && Object.hasOwn(value, name))) return false;
  return Object.entries(value).every(([name, member]) => {
    const named = memberOf(schema.properties, name) ?? schema.additionalProperties;
    return named !== false && (!isSchema(named) || admits(named, { root, value: member }));
  });
}

function hasType(type: Json | undefined, value: Json): boolean {
  if (Array.isArray(type)) return type.some((each) => hasType(each, value));
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isSchema(value);
    case 'integer':
      return Number.isInteger(value);
    case 'number':
    case 'string':
    case 'boolean':
      return typeof value === type;
    default:
      return true;
  }
}

function resolve(schema: JsonObject, root: JsonObject): JsonObject {
  const reference = schema.$ref;
  if (typeof reference !== 'string' || !reference.startsWith('#')) return schema;
  let found: Json | undefined = root;
  for (const name of reference.slice(1).split('/').slice(1)) {
    found = memberOf(found, name.replaceAll('~1', '/').replaceAll('~0', '~'));
  }
  if (!isSchema(found)) throw new Error(`the schema has no ${reference}`);
  return resolve(found, root);
}

const schemaList = (value: Json | undefined): readonly JsonObject[] =>
  Array.isArray(value) ? value.filter(isSchema) : [];

const memberOf = (value: Json | undefined, name: string): Json | undefined =>
  isSchema(value) && Object.hasOwn(value, name) ? value[name] : undefined;

const isSchema = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
