import { parse } from 'yaml';
import { fileNamePattern, isObject, UserError } from '../../core/index.ts';
import { baseName, type DatasetSplit, folderOf, type HubFile } from './hub-address.ts';

interface SplitSearch {
  readonly address: string;
  readonly split: DatasetSplit;
  /** The text of the repository's README.md, if it has one. */
  readonly readme: string | undefined;
}

/**
 * The files of a split, all in one folder: by the `configs` of the README, or else by their names, as the `datasets`
 * library finds them. Throws a UserError that lists what there is.
 */
export function filesOfSplit(files: readonly HubFile[], search: SplitSearch): readonly HubFile[] {
  const configs = search.readme === undefined ? [] : configsIn(search.readme);
  const found =
    configs.length > 0 ? declaredFiles(files, { ...search, configs }) : filesNamedFor(files, search);
  if (found.length === 0) throw noSuchSplit(files, { ...search, configs });
  const folders = [...new Set(found.map(({ path }) => folderOf(path)))];
  if (folders.length === 1) return checkShards(found, search.address);
  throw new UserError({
    code: 'several-data-files',
    message: `\`${search.address}\` is in ${folders.length} folders: ${folders.map((folder) => folder || 'the root').join(', ')}`,
    help: `name one, as in ${withoutSplit(search.address)}:${folders.find((folder) => folder !== '')}#${search.split.name}`,
  });
}

/** Throws unless every shard is there that the names count: a cache may hold some of them. */
function checkShards(files: readonly HubFile[], address: string): readonly HubFile[] {
  for (const { path } of files) {
    const [, stem, count] = /^(.+)-\d{5}-of-(\d{5})/.exec(baseName(path)) ?? [];
    const shards = files.filter(
      (file) => baseName(file.path).startsWith(`${stem}-`) && shardOf(file.path) === stem,
    );
    if (count !== undefined && shards.length !== Number(count))
      throw new UserError({
        code: 'missing-shard',
        message: `\`${address}\` has ${shards.length} of the ${Number(count)} files that their names count`,
      });
  }
  return files;
}

const withoutSplit = (address: string): string => address.replace(/#.*$/, '');

interface Config {
  readonly name: string;
  readonly isDefault: boolean;
  /** Split -> patterns of its files' paths. */
  readonly splits: ReadonlyMap<string, readonly string[]>;
}

const mostReadmeCharacters = 1_000_000;

/** What the head of a dataset's README says about its files; none if it says nothing that is understood. */
function configsIn(readme: string): readonly Config[] {
  const [, head = ''] = /^---\r?\n(.*?)\r?\n---/s.exec(readme.slice(0, mostReadmeCharacters)) ?? [];
  let described: unknown;
  try {
    described = parse(head, { maxAliasCount: 0, logLevel: 'silent' });
  } catch {
    return [];
  }
  const configs: unknown = isObject(described) ? described.configs : undefined;
  if (!Array.isArray(configs)) return [];
  return configs.flatMap((config: unknown): readonly Config[] => {
    if (!isObject(config)) return [];
    const splits = splitsIn(config.data_files);
    const name = typeof config.config_name === 'string' ? config.config_name : 'default';
    return splits.size === 0
      ? []
      : [{ name, isDefault: config.default === true || name === 'default', splits }];
  });
}

function splitsIn(files: unknown): ReadonlyMap<string, readonly string[]> {
  const patterns = (value: unknown): readonly string[] =>
    [value].flat().filter((pattern) => typeof pattern === 'string');
  const direct = patterns(files);
  if (direct.length > 0) return new Map([['train', direct]]);
  const entries = Array.isArray(files) ? files : [];
  return new Map(
    entries.flatMap((entry: unknown) =>
      isObject(entry) && typeof entry.split === 'string' && patterns(entry.path).length > 0
        ? [[entry.split, patterns(entry.path)] as const]
        : [],
    ),
  );
}

function declaredFiles(
  files: readonly HubFile[],
  { split, configs, address }: SplitSearch & { readonly configs: readonly Config[] },
): readonly HubFile[] {
  const config = configOf(configs, { split, address });
  const patterns = config?.splits.get(split.name) ?? [];
  return files.filter(({ path }) => patterns.some((pattern) => fitsPath(path, pattern)));
}

function configOf(
  configs: readonly Config[],
  { split, address }: Pick<SplitSearch, 'split' | 'address'>,
): Config | undefined {
  if (split.config !== undefined) return configs.find(({ name }) => name === split.config);
  const [only, another] = configs;
  const chosen = another === undefined ? only : configs.find(({ isDefault }) => isDefault);
  if (chosen !== undefined) return chosen;
  throw new UserError({
    code: 'several-configurations',
    message: `\`${withoutSplit(address)}\` has ${configs.length} configurations: ${few(configs.map(({ name }) => name))}`,
    help: `name one, as in ${withoutSplit(address)}#${only?.name}/${split.name}`,
  });
}

/** A pattern is a path in whose names `*` stands for any characters, and `**` for any folders. */
function fitsPath(path: string, pattern: string): boolean {
  const names = path.split('/');
  const wanted = pattern.replace(/^\.\//, '').split('/');
  // [name][pattern] -> whether what is left of both fits, from the end.
  const fits = Array.from({ length: names.length + 1 }, () =>
    new Array<boolean>(wanted.length + 1).fill(false),
  );
  for (let at = names.length; at >= 0; at -= 1)
    for (let of = wanted.length; of >= 0; of -= 1) {
      const row = fits[at] ?? [];
      if (of === wanted.length) row[of] = at === names.length;
      else if (wanted[of] === '**') row[of] = row[of + 1] === true || fits[at + 1]?.[of] === true;
      else
        row[of] =
          at < names.length &&
          fits[at + 1]?.[of + 1] === true &&
          fileNamePattern(wanted[of] ?? '')(names[at] ?? '');
    }
  return fits[0]?.[0] === true;
}

/** Words for the usual splits in the names of files and folders. */
const words: Readonly<Record<string, readonly string[]>> = {
  train: ['train', 'training'],
  validation: ['validation', 'valid', 'dev', 'val'],
  test: ['test', 'testing', 'eval', 'evaluation'],
};

/**
 * By `<split>-00000-of-00003` as the hub writes shards, else by a word in the names of folders, else in those of files.
 * If no name says a split, all files are `train`.
 */
function filesNamedFor(files: readonly HubFile[], { split }: SplitSearch): readonly HubFile[] {
  const within =
    split.config === undefined
      ? files
      : files.filter(({ path }) =>
          folderOf(path)
            .split('/')
            .includes(split.config ?? ''),
        );
  const shards = within.filter(({ path }) => shardOf(path) !== undefined);
  if (shards.length > 0) return shards.filter(({ path }) => shardOf(path) === split.name);
  const known = new Set([...Object.values(words).flat(), ...wordsFor(split.name)]);
  for (const namesOf of [foldersIn, fileIn]) {
    const said = within.map((file) => ({ file, words: namesOf(file.path).flatMap(wordsIn) }));
    if (!said.some((each) => each.words.some((word) => known.has(word)))) continue;
    const wanted = wordsFor(split.name);
    return said.filter((each) => each.words.some((word) => wanted.includes(word))).map(({ file }) => file);
  }
  return split.name === 'train' ? within : [];
}

const wordsFor = (split: string): readonly string[] => words[split] ?? [split];
const foldersIn = (path: string): readonly string[] => path.split('/').slice(0, -1);
const fileIn = (path: string): readonly string[] => [baseName(path).replace(/\.[^.]*$/, '')];

/** The name whole, and its parts between these signs and digits. */
const wordsIn = (name: string): readonly string[] => [name, ...name.split(/[-._ 0-9]+/)];

const shardOf = (path: string): string | undefined => /^(.+)-\d{5}-of-\d{5}/.exec(baseName(path))?.[1];

function noSuchSplit(
  files: readonly HubFile[],
  { address, split, configs }: SplitSearch & { readonly configs: readonly Config[] },
): UserError {
  const declared = configs.flatMap(({ name, splits }) =>
    [...splits.keys()].map((each) => (configs.length === 1 ? `#${each}` : `#${name}/${each}`)),
  );
  const shown =
    declared.length > 0 ? `it has ${few(declared)}` : `it has ${few(files.map(({ path }) => path))}`;
  return new UserError({
    code: 'no-such-split',
    message: `\`${withoutSplit(address)}\` has no file of rows for the split \`${[split.config, split.name].filter((part) => part !== undefined).join('/')}\``,
    help: files.length === 0 ? 'is this the right repository?' : shown,
  });
}

const few = (names: readonly string[]): string =>
  names.slice(0, 12).join(', ') + (names.length > 12 ? ', ...' : '');
