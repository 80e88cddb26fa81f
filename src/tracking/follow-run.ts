import { type Dag, type RunEvent, readRun, type Store } from '../runtime/index.ts';
import type { LiveFigures, LiveRun } from './live-figures.ts';
import { trackedExperiments } from './tracked-experiment.ts';

/** A tool, and what to do where it cannot be reached. */
export interface FollowingTool {
  readonly name: string;
  readonly tool: LiveRun;
  /** The command that tracks the run afterwards. */
  readonly later: (run: string) => string;
}

/** A tool that takes longer for what has come meanwhile is left alone. */
const MOST_MILLISECONDS = 60_000;

/**
 * Hands the figures of a run to tools while it goes on. A tool that fails is named once and then left alone: it never ends
 * or delays the run's stages.
 */
export class RunFollower {
  readonly #dag: Pick<Dag, 'name' | 'points'>;
  readonly #queues: readonly ToolQueue[];
  #run: string | undefined;

  constructor({
    dag,
    tools,
    onProblem,
  }: {
    readonly dag: Pick<Dag, 'name' | 'points'>;
    readonly tools: readonly FollowingTool[];
    readonly onProblem: (problem: string) => void;
  }) {
    this.#dag = dag;
    this.#queues = tools.map((tool) => new ToolQueue(tool, onProblem));
  }

  handle(event: RunEvent): void {
    if (event.type === 'run-started') this.#run = event.run;
    if (event.type !== 'stage-report' || this.#run === undefined) return;
    const { stage, report } = event;
    if (report.type !== 'progress' || report.unit !== 'step' || report.figures === undefined) return;
    const time = Date.now();
    for (const { name, point } of this.#namesOf(stage)) {
      const figures = Object.fromEntries(
        liveFigures.flatMap((figure) => {
          const value = report.figures?.[figure];
          return value === undefined ? [] : [[`${name}/${figure}`, value] as const];
        }),
      );
      const run = { pipeline: this.#dag.name, run: this.#run, ...(point === undefined ? {} : { point }) };
      for (const queue of this.#queues) queue.add({ run, step: report.done, figures, time });
    }
  }

  /** Tells the tools how the run ended, with its scores and what its histories have besides. */
  async end(store: Store): Promise<void> {
    const record = this.#run === undefined ? undefined : readRun(store, this.#run);
    if (record === undefined) return;
    const experiments = await trackedExperiments(store, record);
    await Promise.all(this.#queues.map((queue) => queue.end(record.run, experiments)));
  }

  /** The points that share a stage of a sweep's graph, with its id in the pipeline. */
  #namesOf(stage: string): readonly { readonly name: string; readonly point?: string }[] {
    if (this.#dag.points === undefined) return [{ name: stage }];
    return this.#dag.points.flatMap(({ label, stages }) =>
      [...stages].flatMap(([name, node]) => (node === stage ? [{ name, point: label }] : [])),
    );
  }
}

/** What progress reports hold of a step's own figures; the history has the others. */
const liveFigures = ['loss', 'learning_rate', 'tokens_per_second'] as const;

/** Writes what has come meanwhile, one write at a time. */
class ToolQueue {
  readonly #tool: FollowingTool;
  readonly #onProblem: (problem: string) => void;
  #waiting: LiveFigures[] = [];
  #writing: Promise<void> | undefined;
  #problem: string | undefined;

  constructor(tool: FollowingTool, onProblem: (problem: string) => void) {
    this.#tool = tool;
    this.#onProblem = onProblem;
  }

  add(figures: LiveFigures): void {
    if (this.#problem !== undefined) return;
    this.#waiting.push(figures);
    this.#writing ??= this.#write(figures.run.run).finally(() => {
      this.#writing = undefined;
    });
  }

  async end(run: string, experiments: Parameters<LiveRun['end']>[0]): Promise<void> {
    await this.#attempt(run, async () => {
      await this.#writing;
      if (this.#problem === undefined) await this.#tool.tool.end(experiments);
    });
  }

  async #write(run: string): Promise<void> {
    while (this.#waiting.length > 0)
      await this.#attempt(run, () => this.#tool.tool.write(this.#waiting.splice(0)));
  }

  async #attempt(run: string, action: () => Promise<void>): Promise<void> {
    const { tool } = this.#tool;
    const timer = setTimeout(() => tool.stop(), MOST_MILLISECONDS);
    try {
      if (this.#problem === undefined) await action();
    } catch (error) {
      if (this.#problem !== undefined) return;
      this.#problem = error instanceof Error ? error.message : String(error);
      this.#waiting = [];
      tool.stop();
      const { name, later } = this.#tool;
      this.#onProblem(
        `${name} does not follow this run: ${this.#problem}; \`${later(run)}\` tracks it later`,
      );
    } finally {
      clearTimeout(timer);
    }
  }
}
