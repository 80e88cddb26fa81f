import { existsSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { UserError } from '../core/index.ts';
import {
  type ActionRecord,
  actionPath,
  blobFile,
  contentState,
  type Digest,
  digestsAt,
  isFolderDigest,
  type LoadedDag,
  lockPathOf,
  outputsPath,
  pathSegment,
  pathsIn,
  type RunRecord,
  readManifest,
  runPath,
  runsCode,
  type Store,
  sealJson,
} from '../runtime/index.ts';
import { settingsPath, settingsText } from './bundled-settings.ts';
import { nameProblem } from './member-names.ts';

/** What a bundle holds besides the definition and the records. */
export const bundleParts = ['scores', 'answers', 'weights', 'data', 'sources'] as const;
export type BundlePart = (typeof bundleParts)[number];

/** A finished run of a pipeline, ready to be bundled. */
export interface BundledRun {
  readonly dag: LoadedDag;
  readonly store: Store;
  readonly run: RunRecord;
  /** The record of every stage, by its id. */
  readonly records: ReadonlyMap<string, ActionRecord>;
  /** What every source consists of, by its path or address. */
  readonly sources: ReadonlyMap<string, Digest>;
  /** The files of the definition besides its data, absolute. */
  readonly definition: readonly string[];
  /** The folder whose `artifacts/` is the pipeline's store where nothing else is said. */
  readonly project: string;
  readonly parts: ReadonlySet<BundlePart>;
  /** The addresses of the project's remotes, by name: where a stranger may find what the bundle leaves out. */
  readonly remotes: ReadonlyMap<string, string>;
  /** Of tuneloom. */
  readonly version: string;
}

/** A file of a bundle. */
export interface BundleMember {
  /** From the bundle's root, with `/`. */
  readonly path: string;
  readonly content: { readonly file: string } | { readonly text: string };
  readonly executable: boolean;
}

/** The results of a stage that a bundle holds: `path` is a file, or a folder that ends in `/`. */
export interface BundledOutput {
  readonly stage: string;
  readonly output: string;
  readonly part: string | undefined;
  readonly digest: Digest;
  /** Absent where the bundle holds only the digest. */
  readonly path: string | undefined;
}

export interface BundleContents {
  /** Absolute: the folder that becomes the bundle's root. */
  readonly root: string;
  /** Sorted by path. */
  readonly members: readonly BundleMember[];
  readonly outputs: readonly BundledOutput[];
}

/** Lists everything that a bundle of a run holds. Throws a UserError for what cannot travel. */
export async function bundleContents(bundled: BundledRun): Promise<BundleContents> {
  const { dag, project, definition } = bundled;
  const sources = await sourceFiles(bundled);
  const lock = lockPathOf(dag.file);
  const manifests = ['package.json', 'package-lock.json']
    .map((name) => join(project, name))
    .filter((path) => existsSync(path));
  const files = [...new Set([...definition, ...sources, ...manifests, lock])].sort();
  const root = commonFolder([project, ...files.map(dirname)]);
  const pathOf = (file: string): string => relative(root, file).split(sep).join('/');
  const base = pathOf(join(project, 'artifacts'));
  const outputs = await bundledOutputs(bundled, base);
  const members = [
    ...files.map((file) => memberOf(pathOf(file), file)),
    ...(manifests.length === 0 ? [packageManifest(bundled, pathOf(join(project, 'package.json')))] : []),
    ...settingsMembers(bundled, pathOf(join(project, ...settingsPath.split('/')))),
    ...recordMembers(bundled, base),
    ...outputs.flatMap((output) => outputMembers(bundled.store, output)),
  ];
  refuseNames(members);
  refuseStoreFiles(members, { files: new Set(files.map(pathOf)), base });
  return { root, members: members.sort((a, b) => (a.path < b.path ? -1 : 1)), outputs };
}

/** The files of local sources: those that code reads are part of the definition, data is only taken if asked for. */
async function sourceFiles({ dag, parts }: BundledRun): Promise<readonly string[]> {
  const wanted = [...dag.nodes.values()].flatMap((node) =>
    parts.has('sources') || runsCode(node)
      ? node.sources.filter(({ resolver }) => resolver === undefined)
      : [],
  );
  const paths = [...new Set(wanted.map(({ path }) => path))];
  return (await Promise.all(paths.map(pathsIn))).flat();
}

function commonFolder(folders: readonly string[]): string {
  const [first = '', ...others] = folders;
  return others.reduce((common, folder) => {
    let shared = common;
    while (!isInside(folder, shared) && dirname(shared) !== shared) shared = dirname(shared);
    return shared;
  }, first);
}

const isInside = (path: string, folder: string): boolean => {
  const inside = relative(folder, path);
  return inside.split(sep)[0] !== '..' && !isAbsolute(inside);
};

const memberOf = (path: string, file: string): BundleMember => ({
  path,
  content: { file },
  executable: (statSync(file).mode & 0o100) !== 0,
});

/** Marks the project's folder, and says which tuneloom the pipeline was run with. */
const packageManifest = ({ version }: BundledRun, path: string): BundleMember => ({
  path,
  content: {
    text: `${JSON.stringify({ private: true, type: 'module', dependencies: { tuneloom: version } }, null, 2)}\n`,
  },
  executable: false,
});

/** Of a project's settings only the addresses of remotes: no token, no machine and no path of its author. */
function settingsMembers({ remotes }: BundledRun, path: string): readonly BundleMember[] {
  if (remotes.size === 0) return [];
  return [{ path, content: { text: settingsText(remotes) }, executable: false }];
}

/** The records of the run and of its stages, as a store holds them. */
function recordMembers({ dag, run, records, project }: BundledRun, base: string): readonly BundleMember[] {
  const distinct = new Map([...records.values()].map((record) => [record.key, record]));
  const actions = [...distinct].map(([key, record]): BundleMember => {
    const text = sealJson(JSON.stringify(record, null, 1));
    return { path: inStore(base, actionPath(key)), content: { text }, executable: false };
  });
  const { project: _project, ...shared } = run;
  const travelling: RunRecord = {
    ...shared,
    file: relative(project, dag.file).split(sep).join('/'),
    // The name of the machine is nobody's business.
    process: { host: '', boot: '', pid: 0, start: '' },
  };
  const text = sealJson(JSON.stringify(travelling, null, 1));
  return [...actions, { path: inStore(base, runPath(run.run)), content: { text }, executable: false }];
}

const inStore = (base: string, path: string): string => `${base}/${path.split(sep).join('/')}`;

/** An output's type -> what a user calls it. */
const partOfType: Readonly<Record<string, BundlePart>> = {
  scores: 'scores',
  history: 'scores',
  responses: 'answers',
  model: 'weights',
};

async function bundledOutputs(
  { dag, store, records, parts }: BundledRun,
  base: string,
): Promise<readonly BundledOutput[]> {
  const outputs: BundledOutput[] = [];
  for (const [stage, { outputs: ports }] of records) {
    const node = dag.nodes.get(stage);
    for (const [output, content] of Object.entries(ports)) {
      const type = node?.ports.outputs[output]?.type ?? 'file';
      const isTaken = parts.has(partOfType[type] ?? 'data');
      for (const { digest, part } of digestsAt(content)) {
        if (isTaken) await requirePresent(store, { stage, digest });
        const steps = [output, ...(part === undefined ? [] : [part])].map(pathSegment);
        const path = inStore(base, join(outputsPath(dag.name, stage), ...steps));
        const shown = isFolderDigest(digest) ? `${path}/` : path;
        outputs.push({ stage, output, part, digest, path: isTaken ? shown : undefined });
      }
    }
  }
  return outputs;
}

async function requirePresent(
  store: Store,
  { stage, digest }: { readonly stage: string; readonly digest: Digest },
): Promise<void> {
  const state = await contentState(store, digest);
  if (state === 'present') return;
  throw new UserError({
    code: 'output-lost',
    message: `an output of \`${stage}\` is ${state} in the store`,
    help: '`tuneloom run` makes it again; `tuneloom pull` fetches it from a remote',
  });
}

function outputMembers(store: Store, { path, digest }: BundledOutput): readonly BundleMember[] {
  if (path === undefined) return [];
  if (!isFolderDigest(digest))
    return [{ path, content: { file: blobFile(store, digest) }, executable: false }];
  return readManifest(store, digest).map((file) => ({
    path: `${path}${file.path}`,
    content: { file: blobFile(store, file.digest) },
    executable: false,
  }));
}

/** `tuneloom open` refuses names that mean something else on another system. */
function refuseNames(members: readonly BundleMember[]): void {
  for (const { path } of members) {
    const problem = nameProblem(path);
    if (problem === undefined) continue;
    const message = `the file \`${path}\` cannot be in a bundle: it ${problem}`;
    throw new UserError({ code: 'unusable-name', message, help: 'give it another name' });
  }
}

/** The bundle's own store must not hold files of the definition: `tuneloom open` checks every file there. */
function refuseStoreFiles(
  members: readonly BundleMember[],
  { files, base }: { readonly files: ReadonlySet<string>; readonly base: string },
): void {
  const stray = members.find(({ path }) => files.has(path) && path.startsWith(`${base}/`));
  if (stray === undefined) return;
  throw new UserError({
    code: 'definition-in-store',
    message: `the pipeline reads \`${stray.path}\`, which is in the folder of results`,
    help: 'move the file out of artifacts/',
  });
}
