import type { Span } from '../diagnostic/diagnostic.ts';
import type { SourceFile } from './source-file.ts';

/** A YAML file as data: bounded, without duplicate keys or aliases, every value with its place. */
export interface YamlDoc {
  readonly file: SourceFile;
  readonly root: YamlNode;
}

export type YamlNode = YamlScalar | YamlList | YamlMap;

export interface YamlScalar extends Placed {
  readonly kind: 'scalar';
  readonly value: null | boolean | number | string;
}

export interface YamlList extends Placed {
  readonly kind: 'list';
  readonly items: readonly YamlNode[];
}

export interface YamlMap extends Placed {
  readonly kind: 'map';
  /** A Map, so that no key, not even `__proto__`, means anything. */
  readonly entries: ReadonlyMap<string, YamlEntry>;
  /** Keys that an overlay took away, and where. */
  readonly removed?: ReadonlyMap<string, Span>;
}

export interface YamlEntry {
  readonly keySpan: Span;
  readonly value: YamlNode;
}

interface Placed {
  /** Where the value was written. */
  readonly span: Span;
  /** Where a value written elsewhere, as a parameter, is used. */
  readonly usedAt?: Span;
  /** A mistake in it has been reported: nothing more is to be said of it. */
  readonly reported?: true;
}
