import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { runPipeline } from '../../../src/runtime/execute/run-pipeline.ts';
import { loadPipeline } from '../../../src/runtime/graph/load-pipeline.ts';
import { openStore } from '../../../src/runtime/store/store.ts';
import type { RunToKill } from './kill-run.ts';
import { lawRegistry } from './law-stages.ts';

/** Waits for a message that says what to run, then runs it as the command does, until it is killed. Prints each event immediately. */
process.once('message', async (message) => {
  // Sent by kill-run.ts.
  const { folder, params, sets, jobs, stageProcess, killAt, torn } = message as RunToKill;
  process.env.LAW_KILL_AT = `${killAt}`;
  process.env.LAW_TORN = torn ? 'yes' : 'no';
  await import('./kill-at.ts');
  const loaded = await loadPipeline({
    file: 'walk.yaml',
    registry: lawRegistry,
    workingDirectory: folder,
    params,
    sets,
  });
  if (!loaded.ok) throw new Error(loaded.error.map((mistake) => mistake.message).join('\n'));
  const result = await runPipeline({
    dag: loaded.value,
    store: openStore(join(folder, 'store')),
    jobs,
    keepGoing: true,
    stageProcess,
    onEvent: (event) => writeSync(1, `${JSON.stringify(event)}\n`),
  });
  if (!result.ok) throw new Error(result.error.map((mistake) => mistake.message).join('\n'));
  process.exit(0);
});
