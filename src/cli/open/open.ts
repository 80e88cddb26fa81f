import { readdirSync } from 'node:fs';
import { mkdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import type { OpenedBundle } from '../../bundle/index.ts';
import { type LoadedDag, markReceived, openStore, planPipeline, projectFolder } from '../../runtime/index.ts';
import { askForSettings } from '../approve-settings.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { JsonOption } from '../commands/options.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { Interruption } from '../interruption.ts';
import { openPipeline } from '../open-pipeline.ts';
import { settingsOf } from '../open-settings.ts';
import { counted } from '../terminal/format-number.ts';
import { safeLine } from '../terminal/safe-text.ts';
import { canAsk } from '../terminal/terminal.ts';
import { askFor, type Reach, reachesOf, reachText } from './consent.ts';
import { fetchDefinition, folderName, originOf, stagingFolder } from './fetch-definition.ts';

export interface OpenOptions extends JsonOption {
  readonly yes?: boolean;
}

/** `tuneloom open`: unpacks a definition from elsewhere, and says what it would do. */
export async function openCommand({ words, options, context }: CommandCall<OpenOptions>): Promise<ExitCode> {
  const { terminal, workingDirectory } = context;
  const [from, to] = words;
  if (from === undefined)
    throw new UsageError({
      message: 'what to open is missing',
      help: 'name a bundle, a git address, or the hf: or https: address of a bundle',
    });
  const origin = originOf(from, context);
  const shown = to ?? folderName(origin);
  const destination = resolve(workingDirectory, shown);
  checkDestination(destination, shown);
  using interruption = Interruption.listen({ terminal, notice: terminal.complain });
  const { signal } = interruption;
  const staging = await stagingFolder(destination);
  let bundle: OpenedBundle | undefined;
  try {
    const folder = join(staging, basename(destination));
    await mkdir(folder);
    bundle = await fetchDefinition(origin, { folder, signal, context });
    await markReceived(folder, { from });
    // An empty folder may be there.
    await rmdir(destination).catch(() => {});
    await rename(folder, destination);
  } catch (error) {
    if (signal.aborted) return interruption.code;
    throw error;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return await describe({ destination, shown, from, bundle }, { options, context });
}

/** An existing folder is never written into: its files could be taken for received ones. */
function checkDestination(destination: string, shown: string): void {
  let names: readonly string[];
  try {
    names = readdirSync(destination);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw new UsageError({
      message: `${shown} is not a folder`,
      help: 'name a folder that does not exist yet',
    });
  }
  if (names.length > 0)
    throw new UsageError({
      message: `the folder ${shown} exists already`,
      help: 'name another one after the address',
    });
}

interface Opened {
  readonly destination: string;
  readonly shown: string;
  readonly from: string;
  readonly bundle: OpenedBundle | undefined;
}

/** Says what was unpacked and what it would do, and asks for an approval where there is somebody to ask. */
async function describe(
  { destination, shown, from, bundle }: Opened,
  { options, context }: Pick<CommandCall<OpenOptions>, 'options' | 'context'>,
): Promise<ExitCode> {
  const { terminal } = context;
  const { json, yes = false } = options;
  const file = bundle?.pipeline ?? onlyPipeline(destination);
  const dag = file === undefined ? undefined : await loadIn(destination, { file, json, context });
  const reaches = dag === undefined ? [] : await reachesIn(dag);
  if (!json) {
    const held =
      bundle === undefined
        ? ''
        : `: ${counted(bundle.files, 'file')}, ${counted(bundle.records, 'record')}, ${counted(bundle.outputs, 'result')}`;
    terminal.print(`opened ${shown}${held}`);
    for (const [name, url] of bundle?.remotes ?? [])
      terminal.print(`remote: a run looks for what is missing at ${safeLine(url)} (${safeLine(name)})`);
    if (bundle?.license !== undefined) terminal.print(`license: ${safeLine(bundle.license)}`);
  }
  const isApproved = reaches.length === 0 || (await approval(reaches, { yes, json, context }));
  const settings = await settingsOf({
    file: join(destination, file ?? 'pipeline.yaml'),
    options: {},
    context,
  });
  const { withheld } = settings;
  const usesSettings = await askForSettings(settings, { remotes: true, executors: true, yes, json, context });
  if (json)
    terminal.print(
      JSON.stringify({
        folder: shown,
        from,
        ...(file !== undefined && { pipeline: file }),
        ...(bundle && { files: bundle.files, records: bundle.records, results: bundle.outputs }),
        would: reaches.map(({ stage, kind, text }) => ({ stage, kind, text })),
        approved: isApproved,
        ...(withheld && {
          settings: {
            remotes: Object.fromEntries(withheld.remotes),
            executors: Object.fromEntries(withheld.executors),
            approved: usesSettings,
          },
        }),
      }),
    );
  else {
    const command = `tuneloom run${file === undefined ? '' : ` ${file}`}${bundle === undefined ? '' : ' --locked'}`;
    terminal.print(`next: cd ${shown} && ${command}`);
  }
  return exitCode.success;
}

/** Approves with `--yes`, asks in a terminal, and else leaves the question to the first run. */
async function approval(
  reaches: readonly Reach[],
  call: {
    readonly yes: boolean;
    readonly json: boolean | undefined;
    readonly context: CommandCall<OpenOptions>['context'];
  },
): Promise<boolean> {
  const { terminal } = call.context;
  if (call.yes || (canAsk() && !call.json)) return askFor(reaches, call);
  if (!call.json) {
    terminal.print('A run of it would do this; `tuneloom run` asks first:');
    terminal.print(reachText(reaches, terminal));
  }
  return false;
}

async function loadIn(
  folder: string,
  {
    file,
    json,
    context,
  }: {
    readonly file: string;
    readonly json: boolean | undefined;
    readonly context: CommandCall<OpenOptions>['context'];
  },
): Promise<LoadedDag | undefined> {
  const words = [relative(context.workingDirectory, join(folder, file))];
  const opened = await openPipeline({ words, options: json ? { json } : {}, context, names: 'none' });
  return opened?.dag;
}

/** With the store of the opened folder, whatever the settings and the environment say: nothing is written to it. */
async function reachesIn(dag: LoadedDag): Promise<readonly Reach[]> {
  const project = projectFolder({ pipelineFile: dag.file, workingDirectory: dag.workingDirectory });
  const planned = await planPipeline({ dag, store: openStore(join(project, 'artifacts')), targets: [] });
  const nodes = [...dag.nodes.values()];
  return planned.ok
    ? reachesOf(
        [...planned.value.stages.values()].map(({ node }) => node),
        planned.value,
      )
    : reachesOf(nodes, { sources: new Map() });
}

/** The pipeline of a repository, if there is one only. */
function onlyPipeline(folder: string): string | undefined {
  const found = ['', 'pipelines'].flatMap((inside) =>
    namesIn(join(folder, inside))
      .filter((name) => /\.ya?ml$/i.test(name) && !/\.lock\.ya?ml$/i.test(name))
      .map((name) => (inside === '' ? name : `${inside}/${name}`)),
  );
  const usual = found.find((path) => /^pipeline\.ya?ml$/i.test(path));
  return usual ?? (found.length === 1 ? found[0] : undefined);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
