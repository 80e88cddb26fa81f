// Generated from schemas/stages/execute.schema.json.

/**
 * Runs answers that are programs, each in its own sandbox, and records whether it passed its tests.
 */
export interface ExecuteConfig {
  /**
   * The Python program to test, in Jinja: `{{ prompt }}`, `{{ response }}` and the fields of the row.
   */
  readonly program: string;
  /**
   * Its tests, also in Jinja, which run in another process and reach the program as the module `program`. An answer passes if the program and then the tests run to their end without an exception. By default HumanEval's: the prompt, for its imports and helper functions, with an empty body; the row's tests; and a call of them.
   */
  readonly tests: string;
  /**
   * The interpreter: a name in the system's folders, or an absolute path.
   */
  readonly python: string;
  /**
   * How long a program and its tests may take before they count as failed.
   */
  readonly timeout_seconds: number;
  /**
   * How much memory a program may use, with all its processes and files; also how much each process may allocate. Files may take a sixteenth of it in `/tmp` and in `/dev/shm`.
   */
  readonly memory_megabytes: number;
  /**
   * How many processes and threads a program may have at once, itself among them.
   */
  readonly processes: number;
  /**
   * How many programs run at once; by default as many as there are processors.
   */
  readonly concurrency?: number;
}
