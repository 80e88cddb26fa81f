import { rm, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { UserError } from '../core/index.ts';
import {
  adoptRecord,
  contentState,
  createStore,
  digestsAt,
  ingest,
  openStore,
  outputsPath,
  parseCacheKey,
  pathSegment,
  projectFolder,
  publishOutputs,
  type RunRecord,
  readRecord,
  readRun,
  type Store,
  storeLayout,
} from '../runtime/index.ts';
import { readBundledSettings, settingsPath } from './bundled-settings.ts';
import { type UnpackedMember, unpackArchive } from './read-archive.ts';
import { type ReadCrate, readCrate } from './read-crate.ts';

/** What was unpacked. */
export interface OpenedBundle extends ReadCrate {
  readonly files: number;
  /** Results whose bytes are in the bundle. */
  readonly outputs: number;
  /** Where a run looks for what the bundle lacks: addresses by name. */
  readonly remotes: ReadonlyMap<string, string>;
  /** Records of stages. */
  readonly records: number;
}

/**
 * Unpacks a bundle into an existing empty folder, with a store that holds its records and results. Everything is checked
 * against the manifest, against the digests in the records, and each record against its key. Throws a UserError for a
 * bundle that is damaged or unsafe; the folder is then useless.
 */
export async function openBundle(
  archive: string,
  { folder, signal }: { readonly folder: string; readonly signal: AbortSignal },
): Promise<OpenedBundle> {
  const members = await unpackArchive(archive, { folder, signal });
  const crate = await readCrate(folder, members);
  const store = await storeOf(folder, crate);
  const remotes = await checkSettings(folder, { members, project: join(store.root, '..') });
  const inside = relative(folder, store.root).split(sep).join('/');
  const held = members.filter(({ path }) => path.startsWith(`${inside}/`));
  const imported = await importResults(store, { inside, held });
  return { ...crate, files: members.length, remotes, ...imported };
}

/** Besides the settings of the project, nothing in a bundle is for tuneloom itself: no approval, and no other settings. */
async function checkSettings(
  folder: string,
  { members, project }: { readonly members: readonly UnpackedMember[]; readonly project: string },
): Promise<ReadonlyMap<string, string>> {
  const own = relative(folder, join(project, settingsPath)).split(sep).join('/');
  const stranger = members.find(({ path }) => path !== own && path.split('/').includes('.tuneloom'));
  if (stranger !== undefined) throw refused(`\`${stranger.path}\` is a file of tuneloom's own`);
  return members.some(({ path }) => path === own) ? readBundledSettings(join(folder, own)) : new Map();
}

/** The store that a run in the folder will use. Elsewhere it would be one that other pipelines use. */
function storeOf(folder: string, { pipeline }: ReadCrate): Store {
  const project = projectFolder({ pipelineFile: pipeline, workingDirectory: folder });
  if (`${project}${sep}`.startsWith(folder + sep)) return openStore(join(project, 'artifacts'));
  throw refused('it has no package.json, so its results would go to a store outside of it');
}

async function importResults(
  store: Store,
  { inside, held }: { readonly inside: string; readonly held: readonly UnpackedMember[] },
): Promise<Pick<OpenedBundle, 'outputs' | 'records'>> {
  await createStoreIn(store);
  const rest = new Set(held.map(({ path }) => path.slice(inside.length + 1)));
  const runs = takeRuns(store, rest);
  const records = await takeRecords(store, rest);
  let outputs = 0;
  for (const run of runs) outputs += await takeOutputs(store, { run, rest });
  const [stranger] = rest;
  if (stranger !== undefined) throw refused(`\`${inside}/${stranger}\` belongs to no result`);
  for (const run of runs) await showOutputs(store, run);
  await store.statCache.save();
  return { outputs, records };
}

/** The folder may be there already, with what was unpacked. */
async function createStoreIn(store: Store): Promise<void> {
  await createStore(store);
  await writeFile(join(store.root, '.gitignore'), '*\n');
}

function takeRuns(store: Store, rest: Set<string>): readonly RunRecord[] {
  return [...rest].flatMap((path) => {
    const id = /^runs\/([^/]+)\.json$/.exec(path)?.[1];
    if (id === undefined) return [];
    const run = readRun(store, id);
    if (run?.run !== id) throw refused(`\`${path}\` is not the record of a run`);
    rest.delete(path);
    return [run];
  });
}

/** As those that a remote gave: of a result whose bytes are not here, the digest is known, and what needs it runs its stage. */
async function takeRecords(store: Store, rest: Set<string>): Promise<number> {
  let count = 0;
  for (const path of rest) {
    const [, folder, name] = /^actions\/([^/]+)\/([^/]+)\.json$/.exec(path) ?? [];
    if (folder === undefined) continue;
    const key = parseCacheKey(name);
    const found = key === undefined || folder !== key.slice(0, 2) ? undefined : readRecord(store, key);
    if (found?.kind !== 'usable') throw refused(`\`${path}\` is not the record of a stage`);
    await adoptRecord(store, { record: found.record, remote: 'bundle' });
    rest.delete(path);
    count += 1;
  }
  return count;
}

/** Moves the results of a run into the store. Each must be the one that the run's record names. */
async function takeOutputs(
  store: Store,
  { run, rest }: { readonly run: RunRecord; readonly rest: Set<string> },
): Promise<number> {
  let count = 0;
  for (const [stage, outcome] of Object.entries(run.stages)) {
    if (!('outputs' in outcome)) continue;
    for (const [output, content] of Object.entries(outcome.outputs)) {
      for (const { digest, part } of digestsAt(content)) {
        const steps = [output, ...(part === undefined ? [] : [part])].map(pathSegment);
        const path = join(outputsPath(run.pipeline, stage), ...steps);
        const shown = path.split(sep).join('/');
        const files = [...rest].filter((file) => file === shown || file.startsWith(`${shown}/`));
        if (files.length === 0) continue;
        if ((await ingest(store, join(store.root, path))) !== digest)
          throw refused(`\`${shown}\` is not the result that the record of its run names`);
        for (const file of files) rest.delete(file);
        count += 1;
      }
    }
  }
  await rm(join(store.root, storeLayout.outputs), { recursive: true, force: true });
  return count;
}

/** Shows the stages whose results are all there, as a run does. */
async function showOutputs(store: Store, run: RunRecord): Promise<void> {
  for (const [stage, outcome] of Object.entries(run.stages)) {
    if (!('outputs' in outcome)) continue;
    const { outputs } = outcome;
    let isWhole = true;
    for (const { digest } of Object.values(outputs).flatMap((content) => [...digestsAt(content)]))
      isWhole &&= (await contentState(store, digest)) === 'present';
    if (isWhole) await publishOutputs(store, { pipeline: run.pipeline, stage, outputs });
  }
}

const refused = (message: string): UserError =>
  new UserError({
    code: 'damaged-bundle',
    message: `the bundle cannot be opened: ${message}`,
    help: 'fetch it again, or ask whoever made it',
  });
