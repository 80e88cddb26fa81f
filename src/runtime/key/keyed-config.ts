import type { Json, JsonObject } from '../../json.ts';
import { applicableSchemas, childSchema } from '../config/schema/applicable-schemas.ts';
import type { DagNode } from '../graph/dag.ts';
import { formatPointer } from '../source/json-pointer.ts';
import type { ConfigSchema } from '../stage/stage-definition.ts';
import { canonicalJson } from './canonical-json.ts';
import type { SourceDigests } from './key-material.ts';

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
  return typeof value === 'object' && value !== null ? keyedObject(value, place) : value;
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

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);
