import { canonicalJson, isList, isObject, type Json, type JsonObject } from '../../core/index.ts';
import { applicableSchemas, childSchema } from '../config/schema/applicable-schemas.ts';
import type { DagNode, ModuleDigests } from '../graph/dag.ts';
import type { ConfigSchema } from '../stage/stage-definition.ts';
import { type Digest, type PortContent, sha256 } from '../store/digest.ts';
import { formatPointer } from '../yaml/yaml-doc.ts';

/** Rises when keys are made in another way, so that records of the two never meet. */
const keyFormat = 1;

/** Everything that decides what a stage writes, and nothing else: no path, id, host, time or backend. */
export interface KeyMaterial {
  readonly format: number;
  readonly uses: string;
  readonly version: number;
  /** Defaults filled in; sources as `{ "$content": digest }`; fields that do not matter left out. */
  readonly config: JsonObject;
  /** Port -> its content. A port that nothing is bound to is absent. */
  readonly inputs: Readonly<Record<string, PortContent>>;
  /** The code of a user's stage. */
  readonly modules?: ModuleDigests;
}

/** Absolute path of a source -> its content's digest when the plan was made. */
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
    version: node.definition.version,
    config: keyedConfig({ node, sources }),
    inputs,
    ...(node.modules && { modules: node.modules }),
  };
}

/** key = sha256(JCS(material)), JCS = RFC 8785. */
export function cacheKeyOf(material: KeyMaterial): CacheKey {
  const key = parseCacheKey(sha256(canonicalJson(material)));
  if (key === undefined) throw new TypeError('sha256 gave no key');
  return key;
}

/** The one field of the object that stands for a source in key material. */
export const contentMark = '$content';

/**
 * The part of a stage's configuration that decides its outputs. What the schema says of a field counts:
 * `x-key: source` puts the content's digest in the path's place, `none` leaves the field out, and `unless-default`
 * leaves it out while it has its default, so that adding a field invalidates no earlier result.
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

interface Place {
  readonly contents: ReadonlyMap<string, string>;
  /** Every schema that has a say about the value here. */
  readonly schemas: readonly ConfigSchema[];
  readonly pointer: string;
}

function keyedValue(value: Json, place: Place): Json {
  const content = place.contents.get(place.pointer);
  if (content !== undefined) return { [contentMark]: content };
  if (isList(value))
    return value.map((item, index) => keyedValue(item, below(place, { name: `${index}`, value: item })));
  return isObject(value) ? keyedObject(value, place) : value;
}

function keyedObject(object: JsonObject, place: Place): JsonObject {
  const members = Object.entries(object).map(([name, value]) => ({
    name,
    value,
    at: below(place, { name, value }),
  }));
  const kept = members.filter(({ value, at }) => !at.schemas.some((schema) => isLeftOut(schema, value)));
  return Object.fromEntries(kept.map(({ name, value, at }) => [name, keyedValue(value, at)]));
}

function below(place: Place, { name, value }: { readonly name: string; readonly value: Json }): Place {
  const schemas = place.schemas.flatMap((schema) => {
    const child = childSchema(schema, name);
    return child === undefined ? [] : applicableSchemas(child, value);
  });
  return { contents: place.contents, schemas, pointer: place.pointer + formatPointer([name]) };
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
  // The pattern has just been checked: this is where keys are made.
  return typeof text === 'string' && /^[0-9a-f]{64}$/.test(text) ? (text as CacheKey) : undefined;
}
