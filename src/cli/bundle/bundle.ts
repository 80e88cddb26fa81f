import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import {
  type BundledRun,
  type BundlePart,
  bundleParts,
  isPublicAddress,
  type Publication,
  settingsPath,
  writeBundle,
} from '../../bundle/index.ts';
import { isObject, makeFolders } from '../../core/index.ts';
import {
  type ActionRecord,
  definitionFiles,
  type LoadedDag,
  listOf,
  listRuns,
  lockPathOf,
  type Plan,
  planPipeline,
  projectFolder,
  type RunRecord,
  readLock,
  recordedPath,
  type Settings,
  type Store,
} from '../../runtime/index.ts';
import { usableSettings } from '../approve-settings.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { StoreOptions } from '../commands/options.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { openPipeline, reportMistakes } from '../open-pipeline.ts';
import { storeIn } from '../open-settings.ts';
import { programVersion } from '../program-version.ts';
import { counted, formatBytes } from '../terminal/format-number.ts';

export interface BundleOptions extends StoreOptions {
  readonly with?: readonly (BundlePart | 'all')[];
  readonly license?: string;
  readonly author?: string;
  readonly force?: boolean;
}

/** `tuneloom bundle`: writes a finished run with its definition as one archive. */
export async function bundleCommand({
  words,
  options,
  context,
}: CommandCall<BundleOptions>): Promise<ExitCode> {
  const { terminal, workingDirectory } = context;
  const opened = await openPipeline({ words, options, context, names: 'any' });
  if (!opened) return exitCode.badUsage;
  const { dag, names } = opened;
  const to = archiveName(dag, names);
  const path = resolve(workingDirectory, to);
  if (existsSync(path) && !options.force)
    throw new UsageError({
      message: `${to} exists already`,
      help: 'replace it with --force, or name another file',
    });
  const settings = await usableSettings({ file: dag.file, options, context });
  const store = storeIn(settings, context);
  const planned = await planPipeline({ dag, store, targets: [] });
  if (!planned.ok) return reportMistakes(planned.error, { terminal, json: options.json });
  const records = finishedRecords(dag, planned.value);
  const run = matchingRun(dag, { store, records });
  checkLock(dag, records);
  const definition = await definitionFiles(dag);
  if (!definition.ok) return reportMistakes(definition.error, { terminal, json: options.json });
  const project = projectFolder({ pipelineFile: dag.file, workingDirectory });
  const bundled: BundledRun = {
    dag,
    store,
    run,
    records,
    sources: planned.value.sources,
    definition: definition.value.files,
    project,
    parts: partsOf(options.with ?? ['scores']),
    remotes: publicRemotes(settings, join(project, settingsPath), workingDirectory),
    version: programVersion(),
  };
  await makeFolders(dirname(path));
  const publication = await publicationOf(options, project);
  const written = await writeBundle(path, bundled, { publication, onProgress: () => {} });
  const { packages } = definition.value;
  if (options.json) {
    terminal.print(JSON.stringify({ to, run: run.run, ...written, packages }));
    return exitCode.success;
  }
  const { held, named } = written.outputs;
  const rest = named === 0 ? '' : `; ${counted(named, 'result')} by digest only`;
  terminal.print(
    `wrote ${to}: ${counted(written.files, 'file')}, ${formatBytes(written.bytes)}, ${counted(held, 'result')}${rest}`,
  );
  if (publication.license === undefined)
    terminal.complain('note: no license is stated; name one with --license, as in --license CC-BY-4.0');
  if (packages.length > 0)
    terminal.complain(
      `note: its stages import ${listOf(packages, 'and')}; \`npm install\` in the opened folder installs them`,
    );
  return exitCode.success;
}

/** The archive's name as it is typed, or the pipeline's. */
function archiveName({ file }: LoadedDag, names: readonly string[]): string {
  const [name, another] = names;
  if (name === undefined) return `${basename(file).replace(/\.ya?ml$/i, '')}.zip`;
  if (another === undefined && /\.zip$/i.test(name)) return name;
  throw new UsageError({
    message: `\`${another ?? name}\` is not the name of an archive`,
    help: 'give the pipeline and the archive, as in `tuneloom bundle pipeline.yaml results.zip`',
  });
}

/** The remotes of the project's own settings that mean the same on another machine. */
const publicRemotes = (
  { remotes }: Settings,
  file: string,
  workingDirectory: string,
): ReadonlyMap<string, string> =>
  new Map(
    [...remotes].flatMap(([name, { shown, origin }]) => {
      const isOwn = origin.kind === 'file' && resolve(workingDirectory, origin.path) === file;
      return isOwn && isPublicAddress(shown.url) ? [[name, shown.url] as const] : [];
    }),
  );

const partsOf = (chosen: readonly (BundlePart | 'all')[]): ReadonlySet<BundlePart> =>
  new Set(chosen.flatMap((part) => (part === 'all' ? bundleParts : [part])));

/** The records of every stage. A bundle of an unfinished run would promise results that it has not. */
function finishedRecords(dag: LoadedDag, plan: Plan): ReadonlyMap<string, ActionRecord> {
  const records = new Map<string, ActionRecord>();
  const open: string[] = [];
  for (const [id, { decision }] of plan.stages)
    if (decision.kind === 'reuse') records.set(id, decision.record);
    else open.push(id);
  if (open.length === 0) return records;
  const shown = open.slice(0, 3);
  throw new UsageError({
    message: `a bundle holds a finished run, and ${counted(open.length, 'stage')} would run: ${listOf(shown, 'and')}${open.length > shown.length ? ', ...' : ''}`,
    help: `finish it with \`tuneloom run\`; \`tuneloom plan\` shows why (${dag.name})`,
  });
}

/** The latest run that ended with these results. */
function matchingRun(
  dag: LoadedDag,
  { store, records }: { readonly store: Store; readonly records: ReadonlyMap<string, ActionRecord> },
): RunRecord {
  const file = recordedPath(store, dag.file);
  for (const run of listRuns(store)) {
    if (run.pipeline !== dag.name || run.file !== file || run.outcome !== 'succeeded') continue;
    const isSame = [...records].every(([id, { key }]) => {
      const outcome = run.stages[id];
      return outcome !== undefined && 'key' in outcome && outcome.key === key;
    });
    if (isSame) return run;
  }
  throw new UsageError({
    message: `no run of ${dag.name} is recorded that ended with the present results`,
    help: 'run it once more with `tuneloom run`, which will reuse them',
  });
}

/** Without a lock that names these results, nobody could hold what they get to it. */
function checkLock(dag: LoadedDag, records: ReadonlyMap<string, ActionRecord>): void {
  const lock = readLock(dag);
  if (!lock.ok)
    throw new UsageError({ message: lock.error.message, ...(lock.error.help && { help: lock.error.help }) });
  const stages = lock.value?.stages;
  const isCurrent =
    lock.value !== undefined &&
    (dag.points !== undefined || [...records].every(([id, { key }]) => stages?.get(id)?.key === key));
  if (isCurrent) return;
  throw new UsageError({
    message: `the lock ${basename(lockPathOf(dag.file))} does not name the present results`,
    help: '`tuneloom run` writes it',
  });
}

async function publicationOf({ license, author }: BundleOptions, project: string): Promise<Publication> {
  const text = await readFile(join(project, 'package.json'), 'utf8').catch(() => '{}');
  const [, name, url] = /^\s*(.*?)\s*(?:<(https?:\/\/[^>]+)>)?\s*$/.exec(author ?? '') ?? [];
  return {
    license: license ?? licenseIn(text),
    author: name ? { name, url } : undefined,
  };
}

/** The license that a package.json states. */
function licenseIn(text: string): string | undefined {
  try {
    const manifest: unknown = JSON.parse(text);
    const license = isObject(manifest) ? manifest.license : undefined;
    return typeof license === 'string' && license !== '' && license !== 'UNLICENSED' ? license : undefined;
  } catch {
    return undefined;
  }
}
