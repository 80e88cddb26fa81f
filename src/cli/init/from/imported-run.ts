import { isObject, type JsonObject } from '../../../core/index.ts';
import type { LeftField, NeedlessField, TakenField } from './translation.ts';

/** A training as another program's file describes it, in our words. */
export interface ImportedRun {
  readonly program: 'axolotl' | 'LLaMA-Factory';
  /** The configuration of the stage that loads the model. */
  readonly model: JsonObject;
  /** The address of the adapter that the training continues. */
  readonly adapter: string | undefined;
  readonly sources: readonly ImportedSource[];
  /** The share of the records that is for validation, or the sources of it. */
  readonly validation: number | readonly ImportedSource[] | undefined;
  /** Whether equal rows count once. */
  readonly isDeduplicated: boolean;
  readonly collate: JsonObject;
  readonly train: JsonObject;
  /** How far the pipeline goes: what is trained may not exist here, or its data may have no format. */
  readonly reach: 'load' | 'collate' | 'train';
  readonly taken: readonly TakenField[];
  readonly left: readonly LeftField[];
  readonly needless: readonly NeedlessField[];
}

/** Rows and how they are written. */
export interface ImportedSource {
  readonly name: string;
  /** An address, or a path relative to the written pipeline. */
  readonly path: string;
  readonly limit?: number;
  readonly weight?: number;
  /** Our name of a field -> the data's. */
  readonly fields?: JsonObject;
  /** The configuration of `format`. */
  readonly format: JsonObject;
}

/** The fields that have a value. */
export const present = (fields: Readonly<Record<string, JsonObject[string] | undefined>>): JsonObject =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) =>
      value === undefined || (isObject(value) && Object.keys(value).length === 0) ? [] : [[name, value]],
    ),
  );

/** A name for a source from its path, which no other has. */
export function sourceName(path: string, taken: ReadonlySet<string>): string {
  const last =
    path
      .replace(/#.*$/, '')
      .split(/[/:]/)
      .findLast((part) => part !== '') ?? '';
  const stem = last.replace(/\.(jsonl?|ndjson|csv|tsv|parquet)(\.gz)?$/i, '').replaceAll(/[^\w-]+/g, '_');
  const base = /^[A-Za-z]/.test(stem) ? stem : `data_${stem}`;
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? base : `${base}_${count}`;
    if (!taken.has(name)) return name;
  }
}
