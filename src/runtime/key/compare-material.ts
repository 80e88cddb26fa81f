import { canonicalJson, isObject, type Json, type JsonObject, own } from '../../core/index.ts';
import type { ModuleDigests } from '../graph/dag.ts';
import { formatPointer } from '../yaml/yaml-doc.ts';
import { contentMark, type KeyMaterial } from './key-material.ts';

/** One field of the key material that changed. */
export type Difference =
  | {
      readonly kind: 'config';
      /** A JSON pointer into the stage's `with`. */
      readonly pointer: string;
      /** Absent where the field was not there. */
      readonly before?: Json;
      readonly after?: Json;
    }
  | { readonly kind: 'source'; readonly pointer: string; readonly before: string; readonly after: string }
  | {
      readonly kind: 'input';
      readonly port: string;
      /** Set where the port takes each part and this one changed. */
      readonly part?: string;
      readonly before?: string;
      readonly after?: string;
    }
  | {
      /** A module of a user's stage, a package that it uses (`npm:name`) or an import (`module > specifier`). */
      readonly kind: 'code';
      readonly module: string;
      readonly before?: string;
      readonly after?: string;
    }
  | {
      readonly kind: 'uses' | 'version' | 'format';
      readonly before: string | number;
      readonly after: string | number;
    };

/** Every difference between two key materials, sorted by name in code units; empty where the keys are equal. */
export function compareMaterial(before: KeyMaterial, after: KeyMaterial): readonly Difference[] {
  return [
    ...compareIdentity(before, after),
    ...compareConfig(before.config, after.config, ''),
    ...compareInputs(before.inputs, after.inputs),
    ...compareModules(before.modules ?? {}, after.modules ?? {}),
  ];
}

function* compareIdentity(before: KeyMaterial, after: KeyMaterial): Generator<Difference> {
  for (const kind of ['format', 'uses', 'version'] as const) {
    if (before[kind] !== after[kind]) yield { kind, before: before[kind], after: after[kind] };
  }
}

function* compareConfig(
  before: Json | undefined,
  after: Json | undefined,
  pointer: string,
): Generator<Difference> {
  if (same(before, after)) return;
  const [oldContent, newContent] = [keyedContent(before), keyedContent(after)];
  if (oldContent !== undefined && newContent !== undefined) {
    yield { kind: 'source', pointer, before: oldContent, after: newContent };
  } else if (isMap(before) && isMap(after)) {
    for (const name of namesOf(before, after)) {
      yield* compareConfig(own(before, name), own(after, name), pointer + formatPointer([name]));
    }
  } else if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    for (const [index, item] of before.entries())
      yield* compareConfig(item, after[index], `${pointer}/${index}`);
  } else {
    yield { kind: 'config', pointer, ...sides(readable(before), readable(after)) };
  }
}

/** A value with its sources in words, since a key holds no path. */
function readable(value: Json | undefined): Json | undefined {
  const content = keyedContent(value);
  if (content !== undefined) return `a file (${content})`;
  if (Array.isArray(value)) return value.map((item) => readable(item) ?? null);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, readable(item) ?? null]));
}

function* compareInputs(before: KeyMaterial['inputs'], after: KeyMaterial['inputs']): Generator<Difference> {
  for (const port of namesOf(before, after)) {
    const [old, current] = [own(before, port), own(after, port)];
    if (typeof old === 'object' && typeof current === 'object') {
      for (const part of namesOf(old.parts, current.parts)) {
        const [oldPart, newPart] = [own(old.parts, part), own(current.parts, part)];
        if (oldPart !== newPart) yield { kind: 'input', port, part, ...sides(oldPart, newPart) };
      }
    } else if (old !== current) {
      yield { kind: 'input', port, ...sides(spell(old), spell(current)) };
    }
  }
}

function* compareModules(before: ModuleDigests, after: ModuleDigests): Generator<Difference> {
  for (const module of namesOf(before, after)) {
    const [old, current] = [own(before, module), own(after, module)];
    if (old !== current) yield { kind: 'code', module, ...sides(old, current) };
  }
}

const spell = (content: KeyMaterial['inputs'][string] | undefined): string | undefined =>
  typeof content === 'object' ? `parts ${Object.keys(content.parts).join(', ')}` : content;

/** Two sides of a difference, without an absent one. */
export const sides = <T>(before: T | undefined, after: T | undefined): { before?: T; after?: T } => ({
  ...(before === undefined ? {} : { before }),
  ...(after === undefined ? {} : { after }),
});

const same = (before: Json | undefined, after: Json | undefined): boolean =>
  before === undefined || after === undefined
    ? before === after
    : canonicalJson(before) === canonicalJson(after);

/** A map of the configuration, not what replaces a source. */
const isMap = (value: Json | undefined): value is JsonObject =>
  isObject(value) && keyedContent(value) === undefined;

/** The digest of a source in key material; undefined for any other value. */
export const keyedContent = (value: Json | undefined): string | undefined => {
  const content = isObject(value) ? value[contentMark] : undefined;
  return typeof content === 'string' ? content : undefined;
};

const namesOf = (before: object, after: object): readonly string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
