import { type Dag, type RunEvent, readRun, type Store } from '../runtime/index.ts';
import type { LiveFigures, LiveRun } from './live-figures.ts';
import { type TrackedExperiment, trackedExperiments } from './tracked-experiment.ts';

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

  constructor(dag: Pick<Dag, 'name' | 'points'>, tools: readonly FollowingTool[]) {
    this.#dag = dag;
    this.#queues = tools.map((tool) => new ToolQueue(tool));
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

  /**
   * Tells the tools how the run ended, with its scores and what its histories have besides. Returns a sentence, without its
   * full stop, for each tool that could not be told.
   */
  async end(store: Store): Promise<readonly string[]> {
    const record = this.#run === undefined ? undefined : readRun(store, this.#run);
    if (record === undefined) return [];
    const experiments = await trackedExperiments(store, record);
    const problems = await Promise.all(this.#queues.map((queue) => queue.end(record.run, experiments)));
    return problems.filter((problem) => problem !== undefined);
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
  readonly #following: FollowingTool;
  #waiting: LiveFigures[] = [];
  #writing: Promise<void> | undefined;
  #problem: string | undefined;

  constructor(following: FollowingTool) {
    this.#following = following;
  }

  add(figures: LiveFigures): void {
    if (this.#problem !== undefined) return;
    this.#waiting.push(figures);
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  async end(run: string, experiments: readonly TrackedExperiment[]): Promise<string | undefined> {
    const { name, tool, later } = this.#following;
    await this.#writing;
    await this.#attempt(() => tool.end(experiments));
    if (this.#problem === undefined) return undefined;
    return `${name} has not all of this run: ${this.#problem}; \`${later(run)}\` writes it later`;
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0)
      await this.#attempt(() => this.#following.tool.write(this.#waiting.splice(0)));
  }

  async #attempt(action: () => Promise<void>): Promise<void> {
    if (this.#problem !== undefined) return;
    const { tool } = this.#following;
    const timer = setTimeout(() => tool.stop(), MOST_MILLISECONDS);
    try {
      await action();
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error);
      this.#waiting = [];
    } finally {
      clearTimeout(timer);
    }
  }
}
