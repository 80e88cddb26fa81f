import { isList, isObject, type Json, type JsonObject } from '../../../core/index.ts';
import { axolotlFormat } from './axolotl-format.ts';
import { hubAddress, isRepository, localPath, type Places, splitSlice } from './data-place.ts';
import { type ImportedSource, sourceName } from './imported-run.ts';
import type { Translation } from './translation.ts';

interface Reading {
  readonly translation: Translation;
  readonly places: Places;
  /** `datasets` or another field that lists data. */
  readonly field: string;
  readonly preference: 'paired' | 'unpaired' | undefined;
}

/** The sources that a list of axolotl's datasets names. What cannot be read is left, with what to do. */
export function axolotlSources(list: Json | undefined, reading: Reading): readonly ImportedSource[] {
  const names = new Set<string>();
  return (isList(list) ? list : list === undefined ? [] : [list]).flatMap((dataset, index) => {
    const place = `${reading.field}[${index}]`;
    if (!isObject(dataset)) {
      reading.translation.leave(place, 'a dataset is a map with `path` and `type`', dataset);
      return [];
    }
    const source = sourceOf(dataset, { ...reading, place, names });
    if (source === undefined) return [];
    names.add(source.name);
    reading.translation.note(place, `load: ${source.path}`);
    return [source];
  });
}

interface DatasetReading extends Reading {
  readonly place: string;
  readonly names: ReadonlySet<string>;
}

function sourceOf(dataset: JsonObject, reading: DatasetReading): ImportedSource | undefined {
  const { translation, place, names } = reading;
  const read = new Set([
    'path',
    'type',
    'split',
    'data_files',
    'ds_type',
    'name',
    'revision',
    'trust_remote_code',
  ]);
  const format = axolotlFormat(dataset, { ...reading, read });
  const at = format && placeOf(dataset, reading);
  for (const [field, value] of Object.entries(dataset))
    if (!read.has(field) && value !== null && value !== false)
      translation.leave(`${place}.${field}`, 'it has no counterpart in `load` and `format`', value);
  if (format === undefined || at === undefined) return undefined;
  return { name: sourceName(at.path, names), ...at, ...format };
}

function placeOf(
  dataset: JsonObject,
  { translation, places, place }: DatasetReading,
): Pick<ImportedSource, 'path' | 'limit' | 'weight'> | undefined {
  const text = (field: string): string | undefined => {
    const value = dataset[field];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const path = text('path') ?? '';
  const files = [dataset.data_files ?? []].flat().filter((file) => typeof file === 'string');
  const slice = splitSlice(text('split') ?? 'train');
  if (slice === undefined)
    translation.leave(
      `${place}.split`,
      'only a split and its beginning (`train[:1000]`) are translated; it takes all of `train`',
      dataset.split ?? null,
    );
  if (slice?.weight !== undefined)
    translation.note(
      `${place}.split`,
      `weight: ${slice.weight}`,
      'a share of the rows drawn by a seed, not the first ones',
    );
  const { split = 'train', ...amount } = slice ?? {};
  const isFormat = ['json', 'csv', 'parquet', 'text'].includes(path);
  const local = isFormat ? files.map((file) => localPath(file, places) ?? file) : [localPath(path, places)];
  const [first] = local;
  if (first !== undefined && local.length === 1) return { path: first, ...amount };
  if (isRepository(path) && files.length <= 1)
    return {
      path: hubAddress({
        repository: path,
        revision: text('revision'),
        config: text('name'),
        split,
        file: files[0],
      }),
      ...amount,
    };
  translation.leave(
    `${place}.path`,
    path.includes('://')
      ? 'data comes from a path, hf:datasets/owner/name or an https: address; fetch it first'
      : 'name its files one by one, as sources of `load`, or by a path or an address of the hub with an owner',
    path,
  );
  return undefined;
}
