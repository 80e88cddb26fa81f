import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { runPipeline } from '../../../src/runtime/execute/run-pipeline.ts';
import { openStore } from '../../../src/runtime/store/store.ts';
import { type TinyPipeline, tinyDag } from '../../runtime/rig/tiny-dag.ts';
import { witnessRegistry } from './witness-stage.ts';

/** Waits for the file `go`, so that several begin together; then runs a pipeline and prints the stages' outcomes. */
interface WitnessRequest {
  readonly pipeline: TinyPipeline;
  readonly store: string;
  readonly go: string;
}

// Written by the test that starts this process.
const { pipeline, store, go } = JSON.parse(process.argv[2] ?? '') as WitnessRequest;
console.log('ready');
while (!existsSync(go)) await sleep(1);
const dag = tinyDag({ ...pipeline, registry: witnessRegistry });
const result = await runPipeline({ dag, store: openStore(store), stageProcess: 'never started', jobs: 3 });
if (!result.ok) throw new Error(result.error.map(({ message }) => message).join('\n'));
console.log(JSON.stringify(Object.fromEntries(result.value.stages)));
