import type { RunRecord } from '../runtime/index.ts';
import { type Experiment, type ExperimentColumn, ExperimentReader, experimentsTable } from '../view/index.ts';
import type { Project } from './project.ts';

/** A run, or a point of a sweep, as a row of the experiments table. */
export interface RunRow {
  readonly run: string;
  /** The label of a sweep's point. */
  readonly point?: string;
  /** The pipeline's file from the project's folder. */
  readonly pipeline: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly state: RunRecord['outcome'];
  /** Absent while it is unknown. */
  readonly milliseconds?: number;
  readonly ran: number;
  readonly reused: number;
}

/** What distinguishes the runs, and how well they did: cells in the order of the rows. */
export interface RunTable {
  readonly rows: readonly RunRow[];
  readonly columns: readonly ExperimentColumn[];
  /** How many runs there are; of these the table has the latest. */
  readonly total: number;
}

/** Reads the table of a project's latest runs, the latest first, and keeps what it read of contents, which never change. */
export class RunTables {
  readonly #project: Project;
  readonly #reader: ExperimentReader;

  constructor(project: Project) {
    this.#project = project;
    this.#reader = new ExperimentReader(project.store);
  }

  /** `pipeline`: only runs of this file. */
  async read({
    pipeline,
    limit,
  }: {
    readonly pipeline: string | undefined;
    readonly limit: number;
  }): Promise<RunTable> {
    const names = await this.#project.namesByRecord();
    const all = (await this.#project.runs(Number.POSITIVE_INFINITY)).filter(
      ({ file }) => pipeline === undefined || names.get(file) === pipeline,
    );
    const records = all.slice(0, limit);
    const experiments: Experiment[] = [];
    for (const record of records) experiments.push(...(await this.#reader.read(record)));
    const rows = experiments.map(
      ({ run, point, file, started_at: startedAt, state, milliseconds, ran, reused }): RunRow => ({
        ...{ run, startedAt, state, ran, reused },
        pipeline: names.get(file) ?? file,
        ...(point === undefined ? {} : { point }),
        ...(milliseconds === undefined ? {} : { milliseconds }),
      }),
    );
    return { rows, columns: experimentsTable(experiments).columns, total: all.length };
  }
}
