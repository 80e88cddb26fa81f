import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { Result } from '../result.ts';
import type { RunOptions } from './run-options.ts';
import type { RunResult } from './run-result.ts';

/**
 * Runs what has to run and reuses the rest. An error is a mistake found before anything ran; a stage that fails is
 * part of the result.
 */
export async function runPipeline(options: RunOptions): Promise<Result<RunResult, readonly Diagnostic[]>> {
  throw new Error(`not there yet: ${options.dag.name}`);
}
