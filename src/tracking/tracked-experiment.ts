import { isList, isObject, type Json, type JsonObject, jsonText, own } from '../core/index.ts';
import { type RunRecord, readRecord, type Store } from '../runtime/index.ts';
import { portCodecs, readAll } from '../stages/index.ts';
import { figuresIn, type HistoryEntry } from '../training/index.ts';
import { type Experiment, ExperimentReader, readRunOutput } from '../view/index.ts';

/** What a tracking tool is told of a run, or of one point of a sweep. */
export interface TrackedExperiment {
  readonly run: string;
  readonly point?: string;
  readonly pipeline: string;
  readonly state: Experiment['state'];
  /** In milliseconds since 1970, as every time here. */
  readonly started: number;
  readonly ended: number;
  /** The pipeline's params, then every field of a stage by `stage.field`. A list or a map is JSON. */
  readonly params: Readonly<Record<string, string | number | boolean>>;
  /** Names in `params` that tell trainings apart: the pipeline's params and the fields of stages that train. */
  readonly hyperparameters: readonly string[];
  readonly measurements: readonly Measurement[];
  /** What models wrote after each epoch. */
  readonly samples: readonly TrackedSample[];
}

/** One figure: a loss of a step, a score. */
export interface Measurement {
  /** `train/loss`, `evaluate/exact_match`, `mmlu/evaluate/accuracy/astronomy`. */
  readonly name: string;
  readonly step: number;
  readonly value: number;
  readonly time: number;
}

export interface TrackedSample {
  readonly name: string;
  readonly step: number;
  readonly prompt: string;
  readonly response: string;
  readonly time: number;
}

/** Reads a run as experiments: one, or of a sweep one for each point. */
export async function trackedExperiments(
  store: Store,
  record: RunRecord,
): Promise<readonly TrackedExperiment[]> {
  const experiments = await new ExperimentReader(store).read(record);
  return await Promise.all(
    experiments.map(async (experiment) => {
      const trainings = await trainingsOf(store, record, experiment.point);
      return describe(experiment, { record, trainings });
    }),
  );
}

/** A training whose history is in the store. */
interface Training extends WorkTime {
  /** The stage's id in the pipeline. */
  readonly stage: string;
  readonly history: readonly HistoryEntry[];
}

interface WorkTime {
  readonly began: number;
  readonly milliseconds: number;
}

async function trainingsOf(
  store: Store,
  record: RunRecord,
  label: string | undefined,
): Promise<readonly Training[]> {
  const point = record.points?.find((each) => each.label === label);
  const names = point?.stages ?? Object.fromEntries(Object.keys(record.stages).map((id) => [id, id]));
  const read = Object.entries(names).map(async ([stage, node]): Promise<readonly Training[]> => {
    const history = await readRunOutput(store, { run: record, stage: node, output: 'history' }, (path) =>
      readAll(portCodecs.history.read(path)),
    );
    return history === undefined ? [] : [{ stage, history, ...workTime(store, record, node) }];
  });
  return (await Promise.all(read)).flat();
}

/** When the stage did its work, which may have been in an earlier run. */
function workTime(store: Store, record: RunRecord, node: string): WorkTime {
  const outcome = own(record.stages, node);
  const found = outcome !== undefined && 'key' in outcome ? readRecord(store, outcome.key) : undefined;
  const { startedAt, milliseconds } =
    found?.kind === 'usable' ? found.record.provenance : { startedAt: record.startedAt, milliseconds: 0 };
  return { began: Date.parse(startedAt), milliseconds };
}

function describe(
  experiment: Experiment,
  { record, trainings }: { readonly record: RunRecord; readonly trainings: readonly Training[] },
): TrackedExperiment {
  const { run, point, pipeline, state, params, fields } = experiment;
  const started = Date.parse(record.startedAt);
  const ended = started + record.milliseconds;
  const own = flatParams(params);
  const training = Object.keys(fields).filter((name) =>
    trainings.some(({ stage }) => name.startsWith(`${stage}.`)),
  );
  const scores = experiment.scores.flatMap(({ stage, metric, of, value }): readonly Measurement[] =>
    Number.isFinite(value)
      ? [{ name: [stage, metric, ...(of === undefined ? [] : [of])].join('/'), step: 0, value, time: ended }]
      : [],
  );
  return {
    run,
    ...(point === undefined ? {} : { point }),
    ...{ pipeline, state, started, ended },
    params: { ...own, ...flatParams(fields) },
    hyperparameters: [...Object.keys(own), ...training],
    measurements: [...trainings.flatMap(measurementsOf), ...scores],
    samples: trainings.flatMap(samplesOf),
  };
}

const flatParams = (values: JsonObject): TrackedExperiment['params'] =>
  Object.fromEntries(
    Object.entries(values).flatMap(([name, value]): [string, string | number | boolean][] =>
      value === null ? [] : [[name, plain(value)]],
    ),
  );

function plain(value: Exclude<Json, null>): string | number | boolean {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return isObject(value) || isList(value) ? jsonText(value) : Number(value);
}

function measurementsOf(training: Training): readonly Measurement[] {
  return training.history.flatMap((entry) =>
    Object.entries(figuresIn(entry)).map(([name, value]) => ({
      ...{ name: `${training.stage}/${name}`, step: entry.step, value },
      time: timeOf(training, entry.step),
    })),
  );
}

const samplesOf = (training: Training): readonly TrackedSample[] =>
  training.history.flatMap((entry) =>
    entry.type === 'sample'
      ? [
          {
            ...{ name: `${training.stage}/sample`, step: entry.step },
            ...{ prompt: entry.prompt, response: entry.response },
            time: timeOf(training, entry.step),
          },
        ]
      : [],
  );

/** A history holds no times; the steps are spread evenly over the time that the stage took. */
function timeOf({ began, milliseconds, history }: Training, step: number): number {
  const last = history.at(-1)?.step ?? 0;
  return last === 0 ? began : Math.round(began + (milliseconds * step) / last);
}
