import type { Json } from '../../../json.ts';
import { parsePointer } from '../../source/json-pointer.ts';
import type { ConfigSchema, SchemaError } from '../../stage/stage-definition.ts';
import { isSchema, propertiesOf } from './applicable-schemas.ts';

/** One thing that is wrong with a value, whatever number of schema errors it caused. */
export type SchemaFinding = {
  /** The value at fault; for fields, the map that they are or should be in. */
  readonly path: readonly string[];
} & (
  | { readonly kind: 'unknown-field'; readonly field: string; readonly known: readonly string[] }
  | {
      readonly kind: 'missing-field';
      readonly fields: readonly string[];
      /** Whether all of the fields are needed, or any one of them would do. */
      readonly need: 'all' | 'any';
      readonly schema: ConfigSchema;
    }
  /** The value is of another type, or none of the choices. */
  | {
      readonly kind: 'misfit';
      readonly types: readonly string[];
      readonly choices: readonly Json[];
      readonly examples: readonly Json[];
    }
  | { readonly kind: 'limit'; readonly keyword: string; readonly limit: number }
  | { readonly kind: 'pattern'; readonly examples: readonly Json[] }
  | { readonly kind: 'bad-name'; readonly name: string; readonly pattern: string }
  | { readonly kind: 'duplicate-item'; readonly first: number; readonly second: number }
  | { readonly kind: 'conflict'; readonly fields: readonly string[] }
  | { readonly kind: 'other'; readonly keyword: string }
);

export type Misfit = Extract<SchemaFinding, { kind: 'misfit' }>;
export type MissingField = Extract<SchemaFinding, { kind: 'missing-field' }>;

/** What a single schema error says, by itself; undefined for those that only repeat others. */
export function findingOf(schema: ConfigSchema, error: SchemaError): SchemaFinding | undefined {
  const path = parsePointer(error.instancePath);
  const { keyword, params } = error;
  const parent = schemaAt(schema, error.schemaPath.slice(0, error.schemaPath.lastIndexOf('/')));
  if (error.schemaPath.includes('/propertyNames/')) return undefined;
  switch (keyword) {
    case 'if':
      return undefined;
    case 'additionalProperties':
      return {
        kind: 'unknown-field',
        path,
        field: String(params.additionalProperty),
        known: Object.keys(propertiesOf(parent)),
      };
    case 'required':
      return {
        kind: 'missing-field',
        path,
        fields: [String(params.missingProperty)],
        need: 'all',
        schema: parent,
      };
    case 'type':
    case 'const':
    case 'enum':
      return {
        kind: 'misfit',
        path,
        types: typesOf(parent),
        choices: choicesOf(parent),
        examples: examplesOf(parent),
      };
    case 'pattern':
      return { kind: 'pattern', path, examples: examplesOf(parent) };
    case 'propertyNames':
      return { kind: 'bad-name', path, name: String(params.propertyName), pattern: patternOfNames(parent) };
    case 'uniqueItems':
      return {
        kind: 'duplicate-item',
        path,
        first: Math.min(Number(params.i), Number(params.j)),
        second: Math.max(Number(params.i), Number(params.j)),
      };
    default:
      return typeof params.limit === 'number'
        ? { kind: 'limit', path, keyword, limit: params.limit }
        : { kind: 'other', path, keyword };
  }
}

/** The schema that a path of an error, such as `#/properties/by`, leads to. */
export function schemaAt(root: ConfigSchema, schemaPath: string): ConfigSchema {
  let found: Json | undefined = root;
  for (const step of parsePointer(decodeURIComponent(schemaPath.replace(/^#/, '')))) {
    if (typeof found !== 'object' || found === null) return {};
    found = Object.entries(found).find(([key]) => key === step)?.[1];
  }
  return isSchema(found) ? found : {};
}

export function examplesOf(schema: ConfigSchema): readonly Json[] {
  const examples = schema.examples;
  return Array.isArray(examples) ? examples : [];
}

const patternOfNames = ({ propertyNames }: ConfigSchema): string =>
  isSchema(propertyNames) && typeof propertyNames.pattern === 'string' ? propertyNames.pattern : '';

/** With choices given, naming the type as well would say nothing new. */
function typesOf(schema: ConfigSchema): readonly string[] {
  return choicesOf(schema).length > 0 ? [] : [schema.type].flat().filter((type) => typeof type === 'string');
}

function choicesOf(schema: ConfigSchema): readonly Json[] {
  const choices = schema.enum;
  if (Array.isArray(choices)) return choices;
  const only = schema.const;
  return only === undefined ? [] : [only];
}
