import { type CacheKey, parseCacheKey } from '../key/key-material.ts';
import { type ActionRecord, readRecord } from '../store/action-records.ts';
import { listRunIds, type RunRecord, readRun } from '../store/run-records.ts';
import type { Store } from '../store/store.ts';

/** The number of runs searched for the nearest one. Reuse has no such limit. */
const runsRead = 50;

/** The past execution with which a stage is compared. */
export interface NearestRun {
  readonly record: ActionRecord;
  /** Whether it is of the same stage of the same pipeline. */
  readonly isItself: boolean;
}

/** Finds the latest past execution of a stage. Reads only as many runs as needed, each at most once. */
export class PastRuns {
  readonly #store: Store;
  readonly #unread: string[];
  readonly #byStage = new Map<string, CacheKey>();
  readonly #byUses = new Map<string, CacheKey>();

  constructor(store: Store) {
    this.#store = store;
    this.#unread = listRunIds(store).slice(0, runsRead);
  }

  /** The latest execution of the pipeline's stage with that id, else of any stage with the same `uses`. */
  nearest(stage: {
    readonly pipeline: string;
    readonly id: string;
    readonly uses: string;
  }): NearestRun | undefined {
    const name = stageName(stage.pipeline, stage.id);
    while (!this.#byStage.has(name) && this.#readOne());
    const own = this.#byStage.get(name);
    const key = own ?? this.#byUses.get(stage.uses);
    if (key === undefined) return undefined;
    const found = readRecord(this.#store, key);
    return found.kind === 'usable' ? { record: found.record, isItself: own !== undefined } : undefined;
  }

  #readOne(): boolean {
    const run = this.#unread.shift();
    if (run === undefined) return false;
    const record = readRun(this.#store, run);
    if (record !== undefined) this.#index(record);
    return true;
  }

  #index(run: RunRecord): void {
    for (const [id, outcome] of Object.entries(run.stages)) {
      if (outcome.decision !== 'ran' && outcome.decision !== 'reused') continue;
      const key = parseCacheKey(outcome.key);
      if (key === undefined) continue;
      const name = stageName(run.pipeline, id);
      if (!this.#byStage.has(name)) this.#byStage.set(name, key);
      if (!this.#byUses.has(outcome.uses)) this.#byUses.set(outcome.uses, key);
    }
  }
}

const stageName = (pipeline: string, id: string): string => JSON.stringify([pipeline, id]);
