import { stat } from 'node:fs/promises';
import { basename, dirname, relative, resolve, sep } from 'node:path';
import { UserError } from '../../core/index.ts';
import { findFiles } from '../task-files.ts';
import { readYamlValue, type YamlValue } from './yaml-value.ts';

/** The fields of a task's or group's file, with those of the files that it includes. */
export type TaskFields = ReadonlyMap<string, YamlValue>;

export interface TaskEntry {
  readonly kind: 'task' | 'group';
  readonly name: string;
  readonly fields: TaskFields;
}

/** The tasks and groups of a file, or of all `*.yaml` in a folder, by their names. */
export interface TaskIndex {
  readonly entries: ReadonlyMap<string, TaskEntry>;
  /** Tag -> the names of the tasks that have it. */
  readonly tags: ReadonlyMap<string, readonly string[]>;
  /** Files that are no tasks, with the reason. */
  readonly skipped: readonly string[];
}

export async function readTaskIndex(path: string): Promise<TaskIndex> {
  const isFile = (await stat(path).catch(() => undefined))?.isFile() === true;
  const files = await findFiles(path, {
    isWanted: (name) => name.endsWith('.yaml') && !/(^|\/)(__pycache__|\.ipynb_checkpoints)\//.test(name),
    expected: 'the YAML files of tasks',
  });
  const reader = new TaskFileReader(isFile ? { file: path } : { folder: path });
  const entries = new Map<string, TaskEntry>();
  const tags = new Map<string, string[]>();
  const skipped: string[] = [];
  for (const file of files) {
    const entry = await entryOf(file.path, reader).catch((error: unknown) => {
      if (!(error instanceof UserError) || isFile) throw error;
      skipped.push(error.message);
      return undefined;
    });
    if (entry === undefined) continue;
    const { name, kind, fields } = entry;
    if (entries.has(name)) {
      skipped.push(`${reader.nameOf(file.path)}: another file has the ${kind} \`${name}\` already`);
      continue;
    }
    entries.set(name, entry);
    if (kind === 'task')
      for (const tag of textsOf(fields.get('tag'))) tags.set(tag, [...(tags.get(tag) ?? []), name]);
  }
  return { entries, tags, skipped };
}

async function entryOf(path: string, reader: TaskFileReader): Promise<TaskEntry> {
  const fields = await reader.read(path);
  const kind = fields.has('group') && !fields.has('class') ? 'group' : 'task';
  const name = fields.get(kind)?.json;
  if (typeof name === 'string') return { kind, name, fields };
  throw new UserError({
    code: 'no-task',
    message: `${reader.nameOf(path)} names neither a \`task\` nor a \`group\``,
  });
}

/** A text, or the texts of a list. */
export const textsOf = (value: YamlValue | undefined): readonly string[] =>
  value === undefined
    ? []
    : [value, ...value.items].flatMap(({ json }) => (typeof json === 'string' ? json : []));

/** Reads files with what they include, each once. Nothing outside the source is read: only the source is in a key. */
class TaskFileReader {
  readonly #root: string;
  readonly #isFile: boolean;
  readonly #known = new Map<string, Promise<TaskFields>>();

  constructor(source: { readonly folder: string } | { readonly file: string }) {
    this.#isFile = 'file' in source;
    this.#root = resolve('file' in source ? dirname(source.file) : source.folder);
  }

  /** A file as errors name it: by its path in the folder. */
  nameOf(path: string): string {
    return this.#isFile ? basename(path) : relative(this.#root, resolve(path)).split(sep).join('/');
  }

  async read(path: string, including: readonly string[] = []): Promise<TaskFields> {
    const file = resolve(path);
    if (including.includes(file))
      throw new UserError({ code: 'include-cycle', message: `${this.nameOf(path)} includes itself` });
    const known = this.#known.get(file) ?? this.#merged(file, [...including, file]);
    this.#known.set(file, known);
    return known;
  }

  async #merged(file: string, including: readonly string[]): Promise<TaskFields> {
    const value = await readYamlValue(file, this.nameOf(file));
    if (value.fields.size === 0)
      throw new UserError({ code: 'no-task', message: `${this.nameOf(file)} holds no map of fields` });
    const include = value.fields.get('include');
    const merged = new Map<string, YamlValue>();
    for (const name of textsOf(include)) {
      const path = this.#included(resolve(dirname(file), name), { name, place: include?.place ?? '' });
      for (const [field, given] of await this.read(path, including)) merged.set(field, given);
    }
    for (const [field, given] of value.fields) if (field !== 'include') merged.set(field, given);
    return merged;
  }

  #included(path: string, { name, place }: { readonly name: string; readonly place: string }): string {
    const below = relative(this.#root, path);
    if (!this.#isFile && below !== '..' && !below.startsWith(`..${sep}`)) return path;
    throw new UserError({
      code: 'include-outside',
      message: `${place}: \`include: ${name}\` is not in ${this.#isFile ? 'the file' : 'the folder'} that \`records\` names`,
      help: 'name the folder that holds both files as `records`, and the task with `tasks`',
    });
  }
}
