import { runPipeline } from '../../../src/runtime/execute/run-pipeline.ts';
import { openStore } from '../../../src/runtime/store/store.ts';
import { type TinyPipeline, tinyDag } from './tiny-dag.ts';

/** Runs a tiny pipeline in this process, for a test to kill. Prints the outcome of each stage. */
interface RunRequest {
  readonly pipeline: TinyPipeline;
  readonly store: string;
  readonly stageProcess: string;
}

// Written by the test that starts this process.
const request = JSON.parse(process.argv[2] ?? '') as RunRequest;
const interruption = new AbortController();
process.on('SIGINT', () => interruption.abort());
const result = await runPipeline({
  dag: tinyDag(request.pipeline),
  store: openStore(request.store),
  stageProcess: request.stageProcess,
  signal: interruption.signal,
  onEvent: (event) => console.error(event.type, 'stage' in event ? event.stage : ''),
});
if (!result.ok) throw new Error(result.error.map(({ message }) => message).join('\n'));
console.log(JSON.stringify(Object.fromEntries(result.value.stages)));
