import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import { isObject, isText, listOf, UserError } from '../core/index.ts';
import { type RunRecord, readLiveEvents, readRun, stageLogPath, stopRun } from '../runtime/index.ts';
import { compareRuns } from '../view/index.ts';
import { bodyOf, notFound, numberOf } from './answers.ts';
import { drawRun, drawRuns } from './plots.ts';
import type { Project } from './project.ts';
import { outputsOf } from './run-outputs.ts';
import { RunTables } from './run-table.ts';
import type { StartedRuns } from './started-runs.ts';

const mostRuns = 200;
const mostCompared = 8;
const pollMilliseconds = 400;

/** Runs: their table, one run with its results, its events while it goes on, its logs; start and stop. */
export function runRoutes(project: Project, started: StartedRuns): Hono {
  const { store } = project;
  const tables = new RunTables(project);
  const routes = new Hono();
  routes.get('/', async (context) =>
    context.json(
      await tables.read({
        pipeline: context.req.query('pipeline'),
        limit: numberOf(context, 'limit', mostRuns),
      }),
    ),
  );
  routes.post('/', async (context) => {
    const body = await bodyOf<{ pipeline: string; params: Record<string, string>; stages: string[] }>(
      context,
      {
        pipeline: isText,
        params: (value) => isObject(value) && Object.values(value).every(isText),
        stages: listOf(isText),
      },
    );
    const file = await project.pathOf(body.pipeline);
    const [known] = (await project.pipelines()).filter((one) => one.file === body.pipeline);
    const strange = [
      ...Object.keys(body.params).filter((name) => !Object.hasOwn(known?.params ?? {}, name)),
      ...body.stages.filter((stage) => known?.stages.includes(stage) !== true),
    ];
    if (strange.length > 0)
      throw new UserError({ code: 'bad-request', message: `the pipeline has no ${strange.join(', ')}` });
    return context.json(
      { run: await started.start({ file, params: body.params, stages: body.stages }) },
      201,
    );
  });
  routes.get('/compare', async (context) => {
    const ids = (context.req.query('runs') ?? '').split(',').slice(0, mostCompared);
    const runs = await Promise.all(ids.map((id) => project.run(id)));
    const [before, after, more] = runs;
    const difference =
      before && after && more === undefined ? await compareRuns(store, { before, after }) : undefined;
    return context.json({ difference, drawings: await drawRuns(store, runs) });
  });
  routes.get('/:run/drawings', async (context) =>
    context.json(await drawRun(store, await project.run(context.req.param('run')))),
  );
  routes.get('/:run', async (context) => context.json(await detailOf(project, context.req.param('run'))));
  routes.post('/:run/stop', async (context) => {
    await bodyOf(context, {});
    const run = await project.run(context.req.param('run'));
    const answer = stopRun(store, run.run);
    if (answer === 'asked') return context.json({ asked: true });
    throw new UserError(
      answer === 'not-running'
        ? { code: 'not-running', message: 'the run has already ended' }
        : {
            code: 'another-host',
            message: `the run is on the machine ${run.process.host}`,
            help: 'stop it there, with Ctrl-C in its terminal',
          },
    );
  });
  routes.get('/:run/log/:stage', async (context) => {
    const run = await project.run(context.req.param('run'));
    return context.json(await logOf(project, { run, stage: context.req.param('stage') }));
  });
  routes.get('/:run/events', async (context) => {
    const id = (await project.run(context.req.param('run'))).run;
    return streamSSE(context, async (stream) => {
      let from = 0;
      const send = async (): Promise<void> => {
        const page = await readLiveEvents(store, { run: id, from });
        if (page === undefined || page.events.length === 0) return;
        from = page.next;
        await stream.writeSSE({ event: 'events', data: JSON.stringify(page.events) });
      };
      let outcome = '';
      while (!stream.aborted && !stream.closed) {
        await send();
        // Not by the project again, which would read its pipelines twice a second.
        const run = readRun(store, id);
        if (run === undefined) return;
        if (run.outcome !== outcome) {
          outcome = run.outcome;
          await stream.writeSSE({ event: 'run', data: JSON.stringify(run) });
        }
        if (outcome !== 'running') {
          await send();
          return stream.writeSSE({ event: 'end', data: outcome });
        }
        await sleep(pollMilliseconds);
      }
    });
  });
  return routes;
}

/** A run's record with what it made. */
async function detailOf(project: Project, id: string) {
  const run = await project.run(id);
  const dag = await project.dagOf(run);
  return {
    run,
    pipeline: (await project.namesByRecord()).get(run.file),
    outputs: outputsOf(project.store, { run, dag }),
  };
}

const mostBytes = 64 * 1024;

/** The end of what a stage's process wrote: while it runs, or after it failed. A stage that succeeded keeps no log. */
async function logOf(
  { store }: Project,
  { run, stage }: { readonly run: RunRecord; readonly stage: string },
) {
  const path = await pathOfLog();
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    const from = Math.max(0, size - mostBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(mostBytes), 0, mostBytes, from);
    return { text: buffer.subarray(0, bytesRead).toString('utf8'), leftOut: from };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { text: '', leftOut: 0 };
    throw error;
  }

  async function pathOfLog(): Promise<string> {
    const outcome = run.stages[stage];
    if (outcome?.decision === 'failed')
      return stageLogPath(store, { key: outcome.key, run: run.run, attempt: outcome.attempts });
    const events = (await readLiveEvents(store, { run: run.run }))?.events ?? [];
    const begun = events.findLast((event) => event.type === 'stage-started' && event.stage === stage);
    if (begun?.type !== 'stage-started') throw notFound(`log of ${stage} in this run`);
    return stageLogPath(store, { key: begun.key, run: run.run, attempt: begun.attempt });
  }
}
