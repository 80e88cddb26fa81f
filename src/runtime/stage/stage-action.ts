import type { JsonObject } from '../../core/index.ts';

/** One execution of a stage, self-contained: it can be written to a file and passed to another process or machine. */
export interface StageAction {
  readonly stage: string;
  readonly uses: string;
  readonly version: number;
  /** Defaults filled in, parameters resolved, source fields absolute paths. */
  readonly config: JsonObject;
  /** Absolute paths of files or folders, read-only. An unbound port is absent. */
  readonly inputs: Readonly<Record<string, ActionPort>>;
  /** Absolute paths that do not exist yet, in folders that do; the stage makes each a file or a folder. */
  readonly outputs: Readonly<Record<string, ActionPort>>;
  /** A private folder, kept under the stage's key, for resuming after an interruption. */
  readonly statePath: string;
  /** A folder shared by executions whose results for one example are equal; several may write to it concurrently. */
  readonly memoPath?: string;
  /** A folder shared by executions that differ only in their length; several may write to it concurrently. */
  readonly checkpointPath?: string;
  readonly resources: StageResources;
  /** Set if other actions do the rest of the work: the stage writes what `ShardedStage.join` joins. */
  readonly share?: WorkShare;
  /** Environment variables that the stage asks for. Their values may be secrets and are not shown. */
  readonly environment?: readonly string[];
  /** For a user's stage: the absolute path of its bundled code. */
  readonly code?: string;
}

/** One of several equal parts of a stage's work, from 0. */
export interface WorkShare {
  readonly index: number;
  readonly of: number;
}

/** What a stage may use. Not in the key. */
export interface StageResources {
  /** The number of jobs that a stage which can divide its work does it in. */
  readonly shards?: number;
  readonly threads?: number;
  /** In bytes. */
  readonly memory?: number;
  /** The number that its job asks a scheduler for. */
  readonly gpus?: number;
  /** The time limit of its job, in milliseconds. */
  readonly timeMs?: number;
  /** The tensor backend. */
  readonly backend?: string;
}

/** One content, or one for each named part. */
export type ActionPort = { readonly path: string } | { readonly parts: Readonly<Record<string, string>> };
