import { isObject, type Json } from '../../../core/index.ts';
import type { ConfigSchema, SchemaError } from '../../stage/stage-definition.ts';
import { parsePointer } from '../../yaml/yaml-doc.ts';
import { propertiesOf } from './applicable-schemas.ts';

/** One thing that is wrong with a value, however many schema errors it causes. */
export type SchemaFinding = {
  /** The value at fault; for fields, the map they are in or should be in. */
  readonly path: readonly string[];
} & (
  | { readonly kind: 'unknown-field'; readonly field: string; readonly known: readonly string[] }
  | {
      readonly kind: 'missing-field';
      readonly fields: readonly string[];
      /** Whether all of the fields are needed, or any of them. */
      readonly need: 'all' | 'any';
      readonly schema: ConfigSchema;
    }
  /** The value has the wrong type or is none of the choices. */
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
export type UnknownField = Extract<SchemaFinding, { kind: 'unknown-field' }>;
export type MissingField = Extract<SchemaFinding, { kind: 'missing-field' }>;

/** What a single schema error means; undefined for those that only repeat others. */
export function findingOf(schema: ConfigSchema, error: SchemaError): SchemaFinding | undefined {
  const { keyword, params, schemaPath } = error;
  if (keyword === 'if' || schemaPath.includes('/propertyNames/')) return undefined;
  const path = parsePointer(error.instancePath);
  const parent = schemaAt(schema, schemaPath.slice(0, schemaPath.lastIndexOf('/')));
  return (
    fieldFinding(error, { path, parent }) ??
    valueFinding(error, { path, parent }) ??
    (typeof params.limit === 'number'
      ? { kind: 'limit', path, keyword, limit: params.limit }
      : { kind: 'other', path, keyword })
  );
}

interface FailedSchema {
  readonly path: readonly string[];
  /** The schema whose keyword failed. */
  readonly parent: ConfigSchema;
}

function fieldFinding(
  { keyword, params }: SchemaError,
  { path, parent }: FailedSchema,
): SchemaFinding | undefined {
  switch (keyword) {
    case 'additionalProperties': {
      const known = Object.keys(propertiesOf(parent));
      return { kind: 'unknown-field', path, field: String(params.additionalProperty), known };
    }
    case 'required':
      return {
        kind: 'missing-field',
        path,
        fields: [String(params.missingProperty)],
        need: 'all',
        schema: parent,
      };
    case 'propertyNames':
      return { kind: 'bad-name', path, name: String(params.propertyName), pattern: patternOfNames(parent) };
    default:
      return undefined;
  }
}

function valueFinding(
  { keyword, params }: SchemaError,
  { path, parent }: FailedSchema,
): SchemaFinding | undefined {
  const examples = examplesOf(parent);
  switch (keyword) {
    case 'type':
    case 'const':
    case 'enum':
      return { kind: 'misfit', path, types: typesOf(parent), choices: choicesOf(parent), examples };
    case 'pattern':
      return { kind: 'pattern', path, examples };
    case 'uniqueItems': {
      const [first = 0, second = 0] = [Number(params.i), Number(params.j)].sort((a, b) => a - b);
      return { kind: 'duplicate-item', path, first, second };
    }
    default:
      return undefined;
  }
}

/** The schema that a path of an error, such as `#/properties/by`, leads to. */
export function schemaAt(root: ConfigSchema, schemaPath: string): ConfigSchema {
  let found: Json | undefined = root;
  for (const step of parsePointer(decodeURIComponent(schemaPath.replace(/^#/, '')))) {
    if (typeof found !== 'object' || found === null) return {};
    found = Object.entries(found).find(([key]) => key === step)?.[1];
  }
  return isObject(found) ? found : {};
}

export function examplesOf(schema: ConfigSchema): readonly Json[] {
  const examples = schema.examples;
  return Array.isArray(examples) ? examples : [];
}

const patternOfNames = ({ propertyNames }: ConfigSchema): string =>
  isObject(propertyNames) && typeof propertyNames.pattern === 'string' ? propertyNames.pattern : '';

/** Empty where there are choices, which say more. */
function typesOf(schema: ConfigSchema): readonly string[] {
  return choicesOf(schema).length > 0 ? [] : [schema.type].flat().filter((type) => typeof type === 'string');
}

function choicesOf(schema: ConfigSchema): readonly Json[] {
  const choices = schema.enum;
  if (Array.isArray(choices)) return choices;
  const only = schema.const;
  return only === undefined ? [] : [only];
}
