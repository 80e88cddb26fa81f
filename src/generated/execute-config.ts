// Generated from schemas/stages/execute.schema.json.

/**
 * Runs answers that are programs, each in its own sandbox, and records whether it passed its tests.
 */
export interface ExecuteConfig {
  /**
   * The Python program to run, in Jinja: `{{ prompt }}`, `{{ response }}` and the fields of the row. It passes if it runs to its end without an exception. By default HumanEval's: prompt, answer, the row's tests and a call of them.
   */
  readonly program: string;
  /**
   * The interpreter: a name in the system's folders, or a path.
   */
  readonly python: string;
  /**
   * How long a program may take before it counts as failed.
   */
  readonly timeout_seconds: number;
  /**
   * How much memory each process of a program may allocate. The files that it writes may take a sixteenth of that.
   */
  readonly memory_megabytes: number;
  /**
   * How many processes and threads a program may have at once.
   */
  readonly processes: number;
  /**
   * How many programs run at once; by default as many as there are processors.
   */
  readonly concurrency?: number;
}
