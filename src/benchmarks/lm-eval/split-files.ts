import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { UserError } from '../../core/index.ts';
import type { Dataset } from './task.ts';

/** Where a task's rows are: a file or folder, or a file or folder for each split. */
export type TaskData = string | Readonly<Record<string, string>>;

const extension = '\\.(?:jsonl?|ndjson|csv|tsv|parquet)(?:\\.gz)?$';
const shard = '(?:-\\d{5}-of-\\d{5})?';

/** Finds the files of splits in the data that a configuration names; nothing else is read. */
export class SplitFiles {
  readonly #data: TaskData | undefined;
  /** Whether all tasks take their rows from one dataset, so that files need not name it. */
  readonly #isOnlyDataset: boolean;
  #names: Promise<readonly string[]> | undefined;

  constructor(data: TaskData | undefined, { isOnlyDataset }: { readonly isOnlyDataset: boolean }) {
    this.#data = data;
    this.#isOnlyDataset = isOnlyDataset;
  }

  /** The files with a split's rows, in their order; `isOnlySplit`: no other split of the dataset is read. */
  async find(
    dataset: Dataset,
    { split, isOnlySplit }: { readonly split: string; readonly isOnlySplit: boolean },
  ): Promise<readonly string[]> {
    const data = this.#data;
    if (data === undefined)
      throw new UserError({
        code: 'no-data',
        message: `the rows of ${described(dataset, split)} are missing: there is no \`data\``,
        help: 'name their folder or file with `data`; nothing is downloaded that is not named',
      });
    if (typeof data !== 'string') return this.#given(data, { dataset, split });
    const found = await stat(data);
    if (found.isDirectory()) return this.#inFolder(data, { dataset, split });
    if (this.#isOnlyDataset && isOnlySplit) return [data];
    throw new UserError({
      code: 'one-file',
      message: `${data} is one file, but the tasks need several splits or datasets, such as ${described(dataset, split)}`,
      help: 'name a folder, or a file for each split: `data: { test: test.jsonl, train: train.jsonl }`',
    });
  }

  #given(
    data: Readonly<Record<string, string>>,
    { dataset, split }: { readonly dataset: Dataset; readonly split: string },
  ): readonly string[] {
    const path = Object.hasOwn(data, split) ? data[split] : undefined;
    const names = Object.keys(data).join(', ');
    if (path === undefined)
      throw new UserError({
        code: 'no-data',
        message: `\`data\` names no file for ${described(dataset, split)}; it has ${names}`,
      });
    if (this.#isOnlyDataset) return [path];
    throw new UserError({
      code: 'several-datasets',
      message: `\`data\` names files for splits, but the tasks have several datasets, such as ${dataset.path}`,
      help: 'name a folder with a folder for each dataset, or load the tasks in several stages',
    });
  }

  async #inFolder(
    folder: string,
    { dataset, split }: { readonly dataset: Dataset; readonly split: string },
  ): Promise<readonly string[]> {
    this.#names ??= filesBelow(folder);
    const names = await this.#names;
    const bases = this.#bases(dataset);
    for (const base of bases) {
      const mayOmitName = base !== '' || this.#isOnlyDataset;
      const pattern = new RegExp(`^${fileStem(dataset, { split, mayOmitName })}${shard}${extension}`, 'i');
      const own = names.filter(
        (name) => name.startsWith(base) && pattern.test(name.slice(base.length).replace(/^data\//, '')),
      );
      if (own.length === 0) continue;
      const whole = own.filter((name) => !/-\d{5}-of-\d{5}\./.test(name));
      if (own.length === 1 || whole.length === 0) return own.map((name) => join(folder, name));
      throw new UserError({
        code: 'several-files',
        message: `${folder} holds several files for ${described(dataset, split)}: ${own.join(', ')}`,
        help: 'leave one of them, or name a file for each split: `data: { test: test.jsonl }`',
      });
    }
    const places = bases.map((base) => `${base}${split}.jsonl`).join(' or ');
    throw new UserError({
      code: 'no-data',
      message: `${folder} has no file with the rows of ${described(dataset, split)}`,
      help: `it should hold ${places} (or .json, .csv, .parquet, test-00000-of-00001.parquet)`,
    });
  }

  /** Folders below the data in which a dataset's files may be, the most specific first. */
  #bases({ path, name }: Dataset): readonly string[] {
    const own = name === undefined ? '' : `${name}/`;
    const repository = path.slice(path.lastIndexOf('/') + 1);
    const named = [`${path}/${own}`, `${repository}/${own}`, ...(own === '' ? [] : [own])];
    return [...new Set(this.#isOnlyDataset || own !== '' ? [...named, ''] : named)];
  }
}

const quoted = (text: string): string => text.replace(/[^\w]/g, '\\$&');

/** `test`, or with the dataset's name `virology_test` or `virology-test`. */
function fileStem(
  { name }: Dataset,
  { split, mayOmitName }: { readonly split: string; readonly mayOmitName: boolean },
): string {
  const named = name === undefined ? '' : `(?:${quoted(name)}[-_])${mayOmitName ? '?' : ''}`;
  return named + quoted(split);
}

const described = ({ path, name }: Dataset, split: string): string =>
  `the split \`${split}\` of the dataset ${path}${name === undefined ? '' : ` (${name})`}`;

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
