import type { JsonObject } from '../../core/index.ts';

/** One execution of a stage, complete in itself: it can be written to a file and handed to another process or machine. */
export interface StageAction {
  readonly stage: string;
  readonly uses: string;
  readonly version: number;
  /** Defaults filled in, parameters resolved, source fields absolute paths. */
  readonly config: JsonObject;
  /** Absolute paths of files or folders, read-only. A port that nothing is bound to is absent. */
  readonly inputs: Readonly<Record<string, ActionPort>>;
  /** Absolute paths that do not exist yet and whose parent folder does; each is to become a file or a folder. */
  readonly outputs: Readonly<Record<string, ActionPort>>;
  /** A private folder kept under the stage's key, for resuming after an interruption. */
  readonly statePath: string;
  /** A folder that executions share whose results for one example are the same; several may write to it at once. */
  readonly memoPath?: string;
  /** A folder that executions share which differ in how far they go; several may write to it at once. */
  readonly checkpointPath?: string;
  /** Not in the key: threads, memory in bytes, the tensor backend. */
  readonly resources: { readonly threads?: number; readonly memory?: number; readonly backend?: string };
  /** Environment variables that the stage asked for: their values may be secrets, and are not shown. */
  readonly environment?: readonly string[];
  /** For a stage of the user's own: absolute path of its bundled code. */
  readonly code?: string;
}

/** One content, or one content for each named part. */
export type ActionPort = { readonly path: string } | { readonly parts: Readonly<Record<string, string>> };
