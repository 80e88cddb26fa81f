import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import {
  isList,
  isObject,
  type Json,
  type JsonObject,
  numberIn,
  own,
  UserError,
} from '../../../core/index.ts';
import { hubAddress, isRepository, localPath, type Places } from './data-place.ts';
import { type ImportedSource, present, sourceName } from './imported-run.ts';
import { namesIn } from './training-fields.ts';
import type { Translation } from './translation.ts';

export interface DatasetList {
  readonly translation: Translation;
  readonly places: Places;
  /** `dataset` or `eval_dataset`. */
  readonly field: string;
  readonly stage: 'sft' | 'pt' | 'preference' | 'kto';
  /** What `template` and its like say: the configuration of `format` for conversations. */
  readonly chat: JsonObject;
}

/** The sources that LLaMA-Factory's names of datasets mean, by its dataset_info.json. */
export function llamaFactorySources(list: DatasetList): readonly ImportedSource[] {
  const { translation, field, places } = list;
  const value = translation.take(field);
  const written = isList(value)
    ? value.filter((name) => typeof name === 'string')
    : namesIn(String(value ?? ''));
  if (written.length === 0) return [];
  const info = datasetInfo(translation, places);
  if (info === undefined) return [];
  const limit = numberIn(translation.take('max_samples'));
  if (limit !== undefined && field === 'dataset') translation.note('max_samples', `load.limit: ${limit}`);
  const names = new Set<string>();
  return written.flatMap((name) => {
    const described = info.entries === 'online' ? { hf_hub_url: name } : own(info.entries, name);
    if (!isObject(described)) {
      translation.leave(
        `${field}: ${name}`,
        `${info.path} has no such dataset: load its file with a stage`,
        name,
      );
      return [];
    }
    const source = sourceOf(described, { ...list, name, names, folder: info.folder, limit });
    if (source === undefined) return [];
    names.add(source.name);
    translation.note(`${field}: ${name}`, `load: ${source.path}`);
    return [source];
  });
}

interface DatasetInfo {
  readonly entries: JsonObject | 'online';
  readonly path: string;
  readonly folder: string;
}

const mostBytes = 16 * 2 ** 20;

/** dataset_info.json in `dataset_dir`, which is relative to the folder that the program was started in. */
function datasetInfo(translation: Translation, { bases }: Places): DatasetInfo | undefined {
  const dir = String(translation.take('dataset_dir') ?? 'data');
  if (dir === 'ONLINE') return { entries: 'online', path: 'the hub', folder: '' };
  const places = bases.flatMap((base) => [...foldersAbove(base)].map((folder) => resolve(folder, dir)));
  for (const folder of dir.startsWith('REMOTE:') ? [] : places) {
    const path = join(folder, 'dataset_info.json');
    const entries = readJson(path);
    if (entries !== undefined) return { entries, path, folder };
  }
  translation.leave(
    'dataset',
    dir.startsWith('REMOTE:')
      ? 'download its dataset_info.json, name its folder as `dataset_dir`, and import again'
      : `there is no dataset_info.json in \`${dir}\` here or in a folder above: name its folder as \`dataset_dir\` in the file, and import again`,
  );
  return undefined;
}

function* foldersAbove(folder: string): Generator<string> {
  for (let here = folder; ; here = dirname(here)) {
    yield here;
    if (dirname(here) === here) return;
  }
}

function readJson(path: string): JsonObject | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  try {
    if (text.length > mostBytes) throw new RangeError(`it has more than ${mostBytes} bytes`);
    const value: Json = JSON.parse(text);
    if (isObject(value)) return value;
    throw new TypeError('it is no object');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : cause;
    throw new UserError({ code: 'bad-dataset-info', message: `${path} cannot be read: ${why}`, cause });
  }
}

interface DatasetReading extends DatasetList {
  readonly name: string;
  readonly names: ReadonlySet<string>;
  readonly folder: string;
  readonly limit: number | undefined;
}

function sourceOf(described: JsonObject, reading: DatasetReading): ImportedSource | undefined {
  const { translation, name, field, names, limit, stage } = reading;
  const columns = isObject(described.columns) ? described.columns : {};
  const media = ['images', 'videos', 'audios'].filter((column) => columns[column] !== undefined);
  const isRanking = described.ranking === true || columns.kto_tag !== undefined;
  if (media.length > 0 || isRanking !== (stage === 'preference' || stage === 'kto')) {
    const why = media.length > 0 ? 'models read text only here' : 'it is not data of this `stage`';
    translation.leave(`${field}: ${name}`, why, name);
    return undefined;
  }
  const path = pathOf(described, reading);
  if (path === undefined) return undefined;
  const amount = numberIn(described.num_samples) ?? limit;
  return {
    name: sourceName(name, names),
    path,
    ...(amount !== undefined && { limit: amount }),
    ...layoutOf(described, columns, reading),
  };
}

function pathOf(
  described: JsonObject,
  { folder, places, translation, field, name }: DatasetReading,
): string | undefined {
  const text = (key: string): string | undefined => {
    const value = described[key];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const repository = text('hf_hub_url');
  if (repository !== undefined && isRepository(repository))
    return hubAddress({ repository, config: text('subset'), split: text('split') });
  const file = text('file_name');
  if (repository === undefined && file !== undefined) {
    const shown = relative(places.target, join(folder, file)).split(sep).join('/');
    return localPath(file, { ...places, bases: [folder] }) ?? shown;
  }
  translation.leave(
    `${field}: ${name}`,
    'it is neither a file nor a repository of the hub; scripts are never run',
    described,
  );
  return undefined;
}

type Layout = Pick<ImportedSource, 'fields' | 'format'>;

function layoutOf(described: JsonObject, columns: JsonObject, { stage, chat }: DatasetReading): Layout {
  const renamed = (pairs: readonly (readonly [ours: string, column: string])[]): JsonObject =>
    Object.fromEntries(
      pairs.flatMap(([ours, column]) => {
        const theirs = columns[column];
        return typeof theirs === 'string' && theirs !== ours ? [[ours, theirs]] : [];
      }),
    );
  const fields = (pairs: readonly (readonly [string, string])[]): Pick<Layout, 'fields'> => {
    const names = renamed(pairs);
    return Object.keys(names).length === 0 ? {} : { fields: names };
  };
  if (stage === 'pt') return { format: { template: 'completion' }, ...fields([['text', 'prompt']]) };
  const common = [
    ['system', 'system'],
    ['tools', 'tools'],
  ] as const;
  const answers = [
    ['chosen', 'chosen'],
    ['rejected', 'rejected'],
    ['label', 'kto_tag'],
  ] as const;
  const preference = stage === 'preference' ? 'paired' : stage === 'kto' ? 'unpaired' : undefined;
  if (described.formatting !== 'sharegpt' && described.formatting !== 'openai') {
    const usual = [
      ['instruction', 'prompt'],
      ['input', 'query'],
      ['output', 'response'],
      ['history', 'history'],
    ] as const;
    return { format: present({ ...chat, preference }), ...fields([...usual, ...common, ...answers]) };
  }
  const tags = isObject(described.tags) ? described.tags : {};
  const tag = (name: string, usual: readonly string[]): Json | undefined => {
    const value = tags[name];
    return typeof value === 'string' && !usual.includes(value) ? value : undefined;
  };
  const roles = Object.fromEntries(
    (
      [
        ['user_tag', 'user', ['human', 'user']],
        ['assistant_tag', 'assistant', ['gpt', 'assistant']],
        ['observation_tag', 'tool', ['observation', 'tool']],
        ['system_tag', 'system', ['system']],
      ] as const
    ).flatMap(([name, role, usual]) => {
      const value = tag(name, usual);
      return typeof value === 'string' ? [[value, role]] : [];
    }),
  );
  const messages = columns.messages ?? 'conversations';
  const conversation = present({
    field:
      messages === 'messages' || messages === 'conversations' || preference !== undefined
        ? undefined
        : messages,
    role: tag('role_tag', ['from', 'role']),
    content: tag('content_tag', ['value', 'content']),
    roles,
  });
  const prompt = preference === undefined ? [] : ([['prompt', 'messages']] as const);
  return {
    format: present({ ...chat, conversation, preference }),
    ...fields([...common, ...prompt, ...(preference === undefined ? [] : answers)]),
  };
}
