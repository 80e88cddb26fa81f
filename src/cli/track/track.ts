import { relative, resolve } from 'node:path';
import { listRuns, type RunRecord, recordedPath, type Store } from '../../runtime/index.ts';
import { trackedExperiments, writeTensorboard } from '../../tracking/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { StoreOptions } from '../commands/options.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { namedFile } from '../open-pipeline.ts';
import { sharedStoreOf } from '../open-shared-store.ts';
import { findRun } from '../runs/find-run.ts';
import { counted } from '../terminal/format-number.ts';
import { safeLine } from '../terminal/safe-text.ts';
import { openMlflow, tensorboardFolder, toolNames } from './tracking-tools.ts';

/** `tuneloom track`: tells TensorBoard or MLflow of runs that have ended. */
export async function trackCommand(call: CommandCall<TrackOptions>): Promise<ExitCode> {
  const { words, options, context } = call;
  const { file, names } = namedFile({ words, context, mostNames: words.length });
  const [word, ...wanted] = names;
  const name = toolNames.find((known) => known === word);
  if (name === undefined)
    throw new UsageError({
      message: word === undefined ? 'the tool is missing' : `\`${word}\` is no tool that is known`,
      help: `name one of ${toolNames.join(', ')}, as in \`tuneloom track tensorboard\``,
    });
  if (options.experiment !== undefined && name !== 'mlflow')
    throw new UsageError({ message: '--experiment is for mlflow alone' });
  const store = await sharedStoreOf({ file, options, context });
  const path = file && recordedPath(store, resolve(context.workingDirectory, file));
  const runs = chosenRuns(store, { wanted, path, all: options.all ?? false });
  const track = name === 'tensorboard' ? toTensorboard(call) : toMlflow(call);
  const results = [];
  for (const run of runs)
    for (const experiment of await trackedExperiments(store, run)) results.push(await track(experiment));
  const { terminal } = context;
  if (options.json) {
    terminal.print(JSON.stringify({ tool: name, experiments: results.map(({ json }) => json) }));
    return exitCode.success;
  }
  const written = results.filter(({ isNew }) => isNew).length;
  const rest = results.length - written;
  const place = safeLine(results[0]?.place ?? '');
  terminal.print(
    `${counted(written, 'experiment')} of ${counted(runs.length, 'run')} written to ${place}${rest === 0 ? '' : `; ${rest} there already`}`,
  );
  if (name === 'tensorboard') terminal.print(`tensorboard --logdir ${place} shows them`);
  return exitCode.success;
}

interface TrackOptions extends StoreOptions {
  readonly to?: string;
  readonly experiment?: string;
  readonly all?: boolean;
}

type Tracked = Awaited<ReturnType<typeof trackedExperiments>>[number];

interface TrackResult {
  readonly place: string;
  readonly isNew: boolean;
  readonly json: object;
}

const named = ({ run, point }: Tracked) => ({ run, ...(point === undefined ? {} : { point }) });

function toTensorboard({ options, context }: CommandCall<TrackOptions>) {
  const folder = tensorboardFolder(options.to, context);
  const place = relative(context.workingDirectory, folder) || '.';
  return async (experiment: Tracked): Promise<TrackResult> => {
    const written = await writeTensorboard(folder, experiment);
    return { place, isNew: true, json: { ...named(experiment), folder: written } };
  };
}

function toMlflow({ options, context }: CommandCall<TrackOptions>) {
  const mlflow = openMlflow(options.to, context, options.experiment);
  const place = options.to ?? context.environment.MLFLOW_TRACKING_URI ?? '';
  return async (experiment: Tracked): Promise<TrackResult> => {
    const { run_id, logged } = await mlflow.log(experiment);
    return { place, isNew: logged, json: { ...named(experiment), mlflow_run: run_id, logged } };
  };
}

/** The runs that are named; else the last that has ended, or all of them. */
function chosenRuns(
  store: Store,
  {
    wanted,
    path,
    all,
  }: { readonly wanted: readonly string[]; readonly path: string | undefined; readonly all: boolean },
): readonly RunRecord[] {
  if (all && wanted.length > 0)
    throw new UsageError({ message: '--all and the name of a run exclude each other' });
  if (wanted.length > 0) return wanted.map((name) => findRun(store, name));
  const ended = [...listRuns(store)].filter(
    ({ outcome, file }) => outcome !== 'running' && (path === undefined || file === path),
  );
  const [latest] = ended;
  if (latest === undefined)
    throw new UsageError({
      message: `there are no runs in ${store.root} that have ended`,
      help: 'run a pipeline first',
    });
  return all ? ended.reverse() : [latest];
}
