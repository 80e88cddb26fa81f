import { isObject, UserError } from '../../core/index.ts';
import { byRun, type LiveFigures, type LiveRun } from '../live-figures.ts';
import type { Measurement, TrackedExperiment } from '../tracked-experiment.ts';
import { MlflowClient, type MlflowServer } from './mlflow-client.ts';

/** What a server was told. */
export interface MlflowLog {
  readonly run_id: string;
  /** False if the server had the whole experiment already. */
  readonly logged: boolean;
}

type Identity = LiveFigures['run'];

/** Logs experiments to an MLflow server, each to a run of MLflow's that carries its run and point as tags. */
export class Mlflow implements LiveRun {
  readonly #client: MlflowClient;
  readonly #experimentName: string | undefined;
  readonly #experimentIds = new Map<string, Promise<string>>();
  readonly #runs = new Map<string, Promise<MlflowRun>>();
  /** Runs of MLflow's that were written to while they went on. */
  readonly #followed = new Set<string>();

  /** By default, an experiment of MLflow's is a pipeline. */
  constructor(server: MlflowServer, experimentName?: string) {
    this.#client = new MlflowClient(server);
    this.#experimentName = experimentName;
  }

  async write(figures: readonly LiveFigures[]): Promise<void> {
    for (const [identity, own] of byRun(figures)) {
      const { run_id } = await this.#runOf(identity, own[0]?.time ?? Date.now());
      this.#followed.add(run_id);
      await this.#logMetrics(
        run_id,
        own.flatMap(({ figures, step, time }) =>
          Object.entries(figures).map(([name, value]) => ({ name, step, value, time })),
        ),
      );
    }
  }

  stop(): void {
    this.#client.stop();
  }

  async end(experiments: readonly TrackedExperiment[]): Promise<void> {
    for (const experiment of experiments) await this.log(experiment);
  }

  /** Logs what the server does not have of an experiment yet. */
  async log(experiment: TrackedExperiment): Promise<MlflowLog> {
    const { state, started, ended, point } = experiment;
    const { run_id, isComplete, isNew } = await this.#runOf(experiment, started);
    if (isComplete) return { run_id, logged: false };
    const isEmpty = isNew && !this.#followed.has(run_id);
    const known = isEmpty ? new Set() : await this.#knownMetrics(run_id, experiment.measurements);
    await this.#logParams(run_id, experiment.params);
    await this.#logMetrics(
      run_id,
      experiment.measurements.filter((each) => !known.has(placeOf(each))),
    );
    await this.#finish(run_id, { state, ended });
    if (point !== undefined)
      await this.#finish((await this.#runOf(parentOf(experiment), started)).run_id, { state, ended });
    return { run_id, logged: true };
  }

  async #finish(run_id: string, { state, ended }: Pick<TrackedExperiment, 'state' | 'ended'>): Promise<void> {
    const status = STATUS[state];
    await this.#client.post('runs/log-batch', {
      run_id,
      tags: [{ key: COMPLETE, value: String(state !== 'running') }],
    });
    await this.#client.post('runs/update', { run_id, status, end_time: ended });
  }

  #runOf(identity: Identity, time: number): Promise<MlflowRun> {
    const name = JSON.stringify([identity.run, identity.point ?? null]);
    const known = this.#runs.get(name) ?? this.#findOrCreate(identity, time);
    this.#runs.set(name, known);
    return known;
  }

  async #findOrCreate(identity: Identity, start_time: number): Promise<MlflowRun> {
    const { pipeline, run, point } = identity;
    const experiment_id = await this.#experimentId(this.#experimentName ?? pipeline);
    const found = await this.#find(experiment_id, identity);
    if (found !== undefined) return found;
    const parent =
      point === undefined
        ? []
        : [['mlflow.parentRunId', (await this.#runOf(parentOf(identity), start_time)).run_id]];
    const tags = [
      ...[
        ['tuneloom.run', run.replaceAll(/[^\w-]/g, '_')],
        ['tuneloom.pipeline', pipeline],
      ],
      ...(point === undefined ? [] : [['tuneloom.point', point]]),
      ...parent,
    ].map(([key, value]) => ({ key, value }));
    const answer = await this.#client.post('runs/create', {
      experiment_id,
      start_time,
      run_name: point ?? run,
      tags,
    });
    return { run_id: runIdIn(answer.run), isComplete: false, isNew: true };
  }

  /** The run that carries the identity's tags. */
  async #find(experiment_id: string, { run, point }: Identity): Promise<MlflowRun | undefined> {
    const { runs = [] } = await this.#client.post('runs/search', {
      experiment_ids: [experiment_id],
      filter: `tags.\`tuneloom.run\` = '${run.replaceAll(/[^\w-]/g, '_')}'`,
      max_results: 1000,
    });
    if (!Array.isArray(runs)) throw unexpected('a list of runs');
    for (const each of runs) {
      const tags = tagsIn(each);
      if (tags.get('tuneloom.point') !== point) continue;
      return { run_id: runIdIn(each), isComplete: tags.get(COMPLETE) === 'true', isNew: false };
    }
    return undefined;
  }

  #experimentId(name: string): Promise<string> {
    const known = this.#experimentIds.get(name) ?? this.#findOrCreateExperiment(name);
    this.#experimentIds.set(name, known);
    return known;
  }

  async #findOrCreateExperiment(name: string): Promise<string> {
    const found = await this.#client.find('experiments/get-by-name', { experiment_name: name });
    const { experiment_id } = isObject(found?.experiment)
      ? found.experiment
      : await this.#client.post('experiments/create', { name });
    if (typeof experiment_id === 'string') return experiment_id;
    throw unexpected('the id of an experiment');
  }

  /** Name and step of every metric that a run has. */
  async #knownMetrics(run_id: string, measurements: readonly Measurement[]): Promise<ReadonlySet<string>> {
    const known = new Set<string>();
    for (const name of new Set(measurements.map(({ name }) => name))) {
      let page_token = '';
      do {
        const answer = await this.#client.find('metrics/get-history', {
          ...{ run_id, metric_key: keyOf(name), max_results: '10000' },
          ...(page_token === '' ? {} : { page_token }),
        });
        const metrics = Array.isArray(answer?.metrics) ? answer.metrics : [];
        for (const metric of metrics)
          if (isObject(metric)) known.add(placeOf({ name, step: Number(metric.step ?? 0) }));
        page_token = typeof answer?.next_page_token === 'string' ? answer.next_page_token : '';
      } while (page_token !== '');
    }
    return known;
  }

  async #logMetrics(run_id: string, measurements: readonly Measurement[]): Promise<void> {
    const metrics = measurements
      .filter(({ value }) => Number.isFinite(value))
      .map(({ name, step, value, time }) => ({ key: keyOf(name), step, value, timestamp: Math.round(time) }));
    for (const batch of batches(metrics, MOST_METRICS))
      await this.#client.post('runs/log-batch', { run_id, metrics: batch });
  }

  async #logParams(run_id: string, values: TrackedExperiment['params']): Promise<void> {
    const params = new Map<string, string>();
    // Two names may be one in MLflow's spelling, and it refuses a second value.
    for (const [name, value] of Object.entries(values))
      if (!params.has(keyOf(name))) params.set(keyOf(name), shortened(String(value)));
    for (const batch of batches([...params], MOST_PARAMS))
      await this.#client.post('runs/log-batch', {
        run_id,
        params: batch.map(([key, value]) => ({ key, value })),
      });
  }
}

interface MlflowRun {
  readonly run_id: string;
  readonly isComplete: boolean;
  readonly isNew: boolean;
}

/** Set once the server has all of an experiment. */
const COMPLETE = 'tuneloom.complete';

/** A sweep is a run of MLflow's, and its points are runs below it. */
const parentOf = ({ pipeline, run }: Identity): Identity => ({ pipeline, run });

const STATUS: Readonly<Record<TrackedExperiment['state'], string>> = {
  succeeded: 'FINISHED',
  failed: 'FAILED',
  interrupted: 'KILLED',
  killed: 'KILLED',
  running: 'RUNNING',
};

const placeOf = ({ name, step }: Pick<Measurement, 'name' | 'step'>): string => JSON.stringify([name, step]);

// What the protocol allows in one request.
const MOST_METRICS = 1000;
const MOST_PARAMS = 100;
const MOST_CHARACTERS = 6000;
const MOST_NAME = 250;

/** A name as MLflow allows it. */
const keyOf = (name: string): string => name.replaceAll(/[^\w\-. :/]/g, '_').slice(0, MOST_NAME);

const shortened = (text: string): string =>
  text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS - 1)}…`;

const batches = <Item>(items: readonly Item[], most: number): readonly (readonly Item[])[] =>
  Array.from({ length: Math.ceil(items.length / most) }, (_, index) =>
    items.slice(index * most, (index + 1) * most),
  );

function runIdIn(run: unknown): string {
  const info = isObject(run) && isObject(run.info) ? run.info : {};
  if (typeof info.run_id === 'string') return info.run_id;
  throw unexpected('the id of a run');
}

function tagsIn(run: unknown): ReadonlyMap<string, string> {
  const data = isObject(run) && isObject(run.data) ? run.data : {};
  const tags = Array.isArray(data.tags) ? data.tags : [];
  return new Map(
    tags.flatMap((tag: unknown) =>
      isObject(tag) && typeof tag.key === 'string' && typeof tag.value === 'string'
        ? [[tag.key, tag.value]]
        : [],
    ),
  );
}

const unexpected = (what: string): UserError =>
  new UserError({
    code: 'bad-tracking-server',
    message: `the MLflow server answers without ${what}`,
    help: 'it takes a server that speaks version 2.0 of the REST protocol',
  });
