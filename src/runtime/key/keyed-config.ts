import type { Json, JsonObject } from '../../json.ts';
import type { DagNode } from '../graph/dag.ts';
import { canonicalJson } from './canonical-json.ts';
import { escapePointer } from './json-pointer.ts';
import type { SourceDigests } from './key-material.ts';
import { itemSchemas, memberSchemas, schemasFor } from './schema-lookup.ts';

/** The one field of the object that stands for a source in key material. */
export const contentMark = '$content';

/**
 * The part of a stage's configuration that decides its outputs. What the schema says of a field counts:
 * `x-key: source` puts the content's digest in the path's place, `none` leaves the field out, and `unless-default`
 * leaves it out while it has its default, so that adding a field invalidates no earlier result.
 */
export function keyedConfig(stage: { readonly node: DagNode; readonly sources: SourceDigests }): JsonObject {
  const { definition, config, sources } = stage.node;
  const contents = new Map(
    sources.map(({ pointer, path }) => {
      const digest = stage.sources.get(path);
      if (digest === undefined) throw new Error(`the source ${path} has not been hashed`);
      return [pointer, digest] as const;
    }),
  );
  const walk = { root: definition.schema, contents };
  return keyedObject(config, {
    walk,
    schemas: schemasFor(definition.schema, { root: definition.schema, value: config }),
    pointer: '',
  });
}

interface Place {
  readonly walk: { readonly root: JsonObject; readonly contents: ReadonlyMap<string, string> };
  /** Every schema that has a say about the value here. */
  readonly schemas: readonly JsonObject[];
  readonly pointer: string;
}

function keyedValue(value: Json, place: Place): Json {
  const content = place.walk.contents.get(place.pointer);
  if (content !== undefined) return { [contentMark]: content };
  if (isList(value)) return value.map((item, index) => keyedItem(item, { index, place }));
  if (typeof value === 'object' && value !== null) return keyedObject(value, place);
  return value;
}

function keyedItem(item: Json, at: { readonly index: number; readonly place: Place }): Json {
  const { walk, schemas, pointer } = at.place;
  const below = itemSchemas(schemas, { root: walk.root, value: item, index: at.index });
  return keyedValue(item, { walk, schemas: below, pointer: `${pointer}/${at.index}` });
}

function keyedObject(object: JsonObject, place: Place): JsonObject {
  const { walk, schemas, pointer } = place;
  const kept = Object.entries(object).flatMap(([name, value]): [string, Json][] => {
    const below = memberSchemas(schemas, { root: walk.root, value, name });
    if (below.some((schema) => isLeftOut(schema, value))) return [];
    return [
      [name, keyedValue(value, { walk, schemas: below, pointer: `${pointer}/${escapePointer(name)}` })],
    ];
  });
  return Object.fromEntries(kept);
}

function isLeftOut(schema: JsonObject, value: Json): boolean {
  const mark = schema['x-key'];
  if (mark === 'none') return true;
  const initial = schema.default;
  return (
    mark === 'unless-default' && initial !== undefined && canonicalJson(initial) === canonicalJson(value)
  );
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);
