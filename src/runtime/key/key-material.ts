import { canonicalJson, isList, isObject, type Json, type JsonObject } from '../../core/index.ts';
import { applicableSchemas, childSchema } from '../config/schema/applicable-schemas.ts';
import type { DagNode, ModuleDigests } from '../graph/dag.ts';
import type { ConfigSchema, StageDefinition } from '../stage/stage-definition.ts';
import { formatPointer } from '../yaml/yaml-doc.ts';
import { type Digest, type PortContent, sha256 } from './digest.ts';

/** Rises when keys are made differently, so that old and new records never mix. */
const keyFormat = 1;

/** Everything that decides what a stage writes and nothing else: no path, id, host, time or backend. */
export interface KeyMaterial {
  readonly format: number;
  readonly uses: string;
  readonly version: number;
  /** Defaults filled in, sources as `{ "$content": digest }`, without fields that do not matter. */
  readonly config: JsonObject;
  /** Port -> its content; without ports that nothing is bound to. */
  readonly inputs: Readonly<Record<string, PortContent>>;
  /** The code, for a user's stage. */
  readonly modules?: ModuleDigests;
}

/** Absolute path or address of a source -> its content's digest when the plan was made. */
export type SourceDigests = ReadonlyMap<string, Digest>;

export function keyMaterialOf(stage: {
  readonly node: DagNode;
  readonly inputs: Readonly<Record<string, PortContent>>;
  readonly sources: SourceDigests;
}): KeyMaterial {
  const { node, inputs, sources } = stage;
  return {
    format: keyFormat,
    uses: node.definition.name,
    version: stageVersion(node),
    config: keyedConfig({ node, sources }),
    inputs,
    ...(node.modules && { modules: node.modules }),
  };
}

/** The version of a stage with its configuration. */
export const stageVersion = ({
  definition: { version, versionOf },
  config,
}: {
  readonly definition: Pick<StageDefinition, 'version' | 'versionOf'>;
  readonly config: JsonObject;
}): number => versionOf?.(config) ?? version;

/** key = sha256(JCS(material)), JCS = RFC 8785. */
export const cacheKeyOf = (material: KeyMaterial): CacheKey => keyOf(material);

interface StageMaterial {
  readonly node: Pick<DagNode, 'definition' | 'config'>;
  readonly material: KeyMaterial;
}

/**
 * The key of a stage's checkpoints: its key without the fields that set its length. Undefined if the work before the end
 * depends on those fields.
 */
export function checkpointKeyOf({ node, material }: StageMaterial): CacheKey | undefined {
  const fields = node.definition.horizon?.fields(node.config) ?? [];
  if (fields.length === 0) return undefined;
  return keyOf({ kept: 'checkpoints', ...material, config: without(material.config, fields) });
}

/** The key of cached results for single examples: of everything that decides such a result besides the example. */
export function memoKeyOf({ node, material }: StageMaterial): CacheKey | undefined {
  const { memo } = node.definition;
  if (memo === undefined) return undefined;
  const inputs = Object.entries(material.inputs).filter(([port]) => memo.ports.includes(port));
  const config = without(material.config, memo.fieldsApart(node.config));
  return keyOf({ kept: 'memo', ...material, config, inputs: Object.fromEntries(inputs) });
}

const without = (config: JsonObject, fields: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(config).filter(([name]) => !fields.includes(name)));

function keyOf(material: object): CacheKey {
  const key = parseCacheKey(sha256(canonicalJson(material)));
  if (key === undefined) throw new TypeError('sha256 gave no key');
  return key;
}

/** The name of the only field in the object that replaces a source in key material. */
export const contentMark = '$content';

/**
 * The part of a stage's configuration that decides its outputs. The schema's marks count: `x-key: source` replaces the
 * path by its content's digest, `none` leaves the field out, and `unless-default` leaves it out while it has its
 * default, so that a new field invalidates no earlier result.
 */
function keyedConfig(stage: { readonly node: DagNode; readonly sources: SourceDigests }): JsonObject {
  const { definition, config, sources } = stage.node;
  const contents = new Map(
    sources.map(({ pointer, path }) => {
      const digest = stage.sources.get(path);
      if (digest === undefined) throw new Error(`the source ${path} has not been hashed`);
      return [pointer, digest] as const;
    }),
  );
  return keyedObject(config, {
    contents,
    schemas: applicableSchemas(definition.schema, config),
    pointer: '',
  });
}

interface KeyedField {
  readonly contents: ReadonlyMap<string, string>;
  /** Every schema that applies to the value. */
  readonly schemas: readonly ConfigSchema[];
  readonly pointer: string;
}

function keyedValue(value: Json, field: KeyedField): Json {
  const content = field.contents.get(field.pointer);
  if (content !== undefined) return { [contentMark]: content };
  if (isList(value))
    return value.map((item, index) => keyedValue(item, below(field, { name: `${index}`, value: item })));
  return isObject(value) ? keyedObject(value, field) : value;
}

function keyedObject(object: JsonObject, field: KeyedField): JsonObject {
  const members = Object.entries(object).map(([name, value]) => ({
    name,
    value,
    at: below(field, { name, value }),
  }));
  const kept = members.filter(({ value, at }) => !at.schemas.some((schema) => isLeftOut(schema, value)));
  return Object.fromEntries(kept.map(({ name, value, at }) => [name, keyedValue(value, at)]));
}

function below(
  field: KeyedField,
  { name, value }: { readonly name: string; readonly value: Json },
): KeyedField {
  const schemas = field.schemas.flatMap((schema) => {
    const child = childSchema(schema, name);
    return child === undefined ? [] : applicableSchemas(child, value);
  });
  return { contents: field.contents, schemas, pointer: field.pointer + formatPointer([name]) };
}

function isLeftOut(schema: ConfigSchema, value: Json): boolean {
  const mark = schema['x-key'];
  if (mark === 'none') return true;
  const initial = schema.default;
  return (
    mark === 'unless-default' && initial !== undefined && canonicalJson(initial) === canonicalJson(value)
  );
}

declare const cacheKeyBrand: unique symbol;

/** Identity of one execution of a stage: the SHA-256 of its key material, 64 hexadecimal digits. */
export type CacheKey = string & { readonly [cacheKeyBrand]: true };

/** The key that a text spells, or undefined where it spells none. */
export function parseCacheKey(text: unknown): CacheKey | undefined {
  // The pattern has been checked, and no other function makes keys.
  return typeof text === 'string' && /^[0-9a-f]{64}$/.test(text) ? (text as CacheKey) : undefined;
}
