import { relative, resolve } from 'node:path';
import { jsonText } from '../../core/index.ts';
import { listRuns, type RunRecord, recordedPath, type Store } from '../../runtime/index.ts';
import {
  type Experiment,
  ExperimentReader,
  experimentsTable,
  historyPlot,
  type NamedCurves,
  type PlotSpec,
  type PlottedPoint,
  type PlottedScore,
  plottedCurves,
  plottedPoints,
  plottedScores,
  renderSvg,
  scoresPlot,
  sweepPlot,
  viewTrainings,
} from '../../view/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { StoreOptions } from '../commands/options.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { namedFile } from '../open-pipeline.ts';
import { sharedStoreOf } from '../open-shared-store.ts';
import { findRun } from '../runs/find-run.ts';
import { safeLine } from '../terminal/safe-text.ts';
import { writeWhole } from '../write-whole.ts';

/** `tuneloom plot`: draws the histories, the sweep or the scores of runs. */
export async function plotCommand({ words, options, context }: CommandCall<PlotOptions>): Promise<ExitCode> {
  const { file, names } = namedFile({ words, context, mostNames: words.length });
  const { kind, runs } = parseWords(names);
  const store = await sharedStoreOf({ file, options, context });
  const path = file && recordedPath(store, resolve(context.workingDirectory, file));
  const chosen =
    runs.length > 0 ? runs.map((name) => findRun(store, name)) : defaultRuns(store, { kind, path });
  const drawn = await draw(store, { kind, runs: chosen });
  const { terminal, workingDirectory } = context;
  const format = options.format ?? (options.output?.endsWith('.json') ? 'vega-lite' : 'svg');
  const { output } = options;
  if (options.json === true && output === undefined) {
    const { data, spec } = drawn;
    terminal.print(jsonText({ plot: kind, runs: chosen.map(({ run }) => run), title: spec.title, ...data }));
    return exitCode.success;
  }
  const text =
    format === 'svg' ? await renderSvg(drawn.spec, 'file') : JSON.stringify(drawn.spec, undefined, 2);
  if (output === undefined) {
    terminal.print(text);
    return exitCode.success;
  }
  await writeWhole(resolve(workingDirectory, output), `${text}\n`);
  if (options.json)
    terminal.print(jsonText({ plot: kind, runs: chosen.map(({ run }) => run), file: output }));
  else terminal.print(`wrote ${safeLine(relative(workingDirectory, resolve(workingDirectory, output)))}`);
  return exitCode.success;
}

interface PlotOptions extends StoreOptions {
  readonly format?: 'svg' | 'vega-lite';
  readonly output?: string;
}

const kinds = ['history', 'sweep', 'scores'] as const;
type Kind = (typeof kinds)[number];

function parseWords([first, ...runs]: readonly string[]): {
  readonly kind: Kind;
  readonly runs: readonly string[];
} {
  const kind = kinds.find((known) => known === first);
  if (kind !== undefined) return { kind, runs };
  throw new UsageError({
    message: first === undefined ? 'what to plot is missing' : `\`${first}\` cannot be plotted`,
    help: `name one of ${kinds.join(', ')}, as in \`tuneloom plot history\``,
  });
}

/**
 * The last run with something to draw, of the pipeline file if one is named. For a sweep that is the last one, or without
 * one every run of the last run's pipeline that succeeded.
 */
function defaultRuns(
  store: Store,
  { kind, path }: { readonly kind: Kind; readonly path: string | undefined },
): readonly RunRecord[] {
  const output = { history: 'history', scores: 'scores', sweep: undefined }[kind];
  const ended = [...listRuns(store)].filter(
    (run) => run.outcome !== 'running' && (path === undefined || run.file === path),
  );
  if (output !== undefined) {
    const latest = ended.find(({ stages }) =>
      Object.values(stages).some((stage) => 'outputs' in stage && Object.hasOwn(stage.outputs, output)),
    );
    return latest === undefined ? [] : [latest];
  }
  const succeeded = ended.filter(({ outcome }) => outcome === 'succeeded');
  const sweep = succeeded.find(({ points }) => points !== undefined);
  return sweep === undefined
    ? succeeded.filter(({ pipeline }) => pipeline === succeeded[0]?.pipeline).reverse()
    : [sweep];
}

interface Drawn {
  readonly spec: PlotSpec;
  readonly data:
    | { readonly history: readonly NamedCurves[] }
    | { readonly points: readonly PlottedPoint[] }
    | { readonly scores: readonly PlottedScore[] };
}

async function draw(
  store: Store,
  { kind, runs }: { readonly kind: Kind; readonly runs: readonly RunRecord[] },
): Promise<Drawn> {
  switch (kind) {
    case 'history': {
      const trainings = await Promise.all(runs.map((run) => viewTrainings(store, run)));
      const history = plottedCurves(trainings.flat());
      if (history.length === 0) throw nothing(store, 'a training with a history');
      return { spec: historyPlot(history, { detail: true }), data: { history } };
    }
    case 'sweep': {
      const points = plottedPoints(experimentsTable(await experimentsOf(store, runs)));
      const differ = points.some(({ params }) => Object.keys(params).length > 0);
      if (!differ || points.every(({ scores }) => scores.length === 0))
        throw nothing(store, 'two runs or points with other params, and a score or a loss');
      return { spec: sweepPlot(points), data: { points } };
    }
    case 'scores': {
      const scores = plottedScores(await experimentsOf(store, runs));
      if (scores.length === 0) throw nothing(store, 'an evaluation with scores');
      return { spec: scoresPlot(scores), data: { scores } };
    }
    default:
      return kind satisfies never;
  }
}

async function experimentsOf(store: Store, runs: readonly RunRecord[]): Promise<readonly Experiment[]> {
  const reader = new ExperimentReader(store);
  return (await Promise.all(runs.map((run) => reader.read(run)))).flat();
}

const nothing = (store: Store, what: string): UsageError =>
  new UsageError({
    message: `there is nothing to draw: it takes ${what}`,
    help: `\`tuneloom runs\` lists the runs in ${store.root}`,
  });
