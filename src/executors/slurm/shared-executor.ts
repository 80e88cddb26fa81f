import { err, ok, type Result } from '../../core/index.ts';
import {
  type Executor,
  failureOf,
  ingestOutputs,
  type JobFailure,
  type SubmittedJob,
} from '../../runtime/index.ts';
import { requestOf, valuesOf } from '../job/job-request.ts';
import { openSite, type SubmittedFolder } from '../job/job-site.ts';
import type { Launcher } from '../job/launcher.ts';
import { watchJob } from '../job/watch-job.ts';

/** Runs actions as jobs on machines that see the run's store at the same path as this one. */
export function openSharedExecutor({
  name,
  launcher,
  pollMs,
  jobs,
}: {
  readonly name: string;
  readonly launcher: Launcher;
  readonly pollMs: number;
  readonly jobs?: number | undefined;
}): Executor {
  return {
    name,
    limits: jobs === undefined ? {} : { jobs },
    reads: 'paths',
    submit: async (job, signal): Promise<Result<SubmittedJob, JobFailure>> => {
      const { folder, store, action, graceMilliseconds } = job;
      const site = openSite({ executor: name, root: store.root, launcher });
      const request = requestOf(job);
      const submitted: SubmittedFolder = {
        ...{ folder, name: job.name, request, resources: action.resources },
        environment: valuesOf(request, process.env),
      };
      const canceling = new AbortController();
      try {
        const { place } = await site.submit(submitted);
        return ok({
          cancel: () => canceling.abort(),
          watch: (report) =>
            watchJob({
              ...{ site, folder, place, pollMs, graceMilliseconds, report, canceled: canceling.signal },
              restart: async () => (await site.restart(submitted)).place,
            }),
          collect: async () => {
            const outputs = await ingestOutputs(store, action.outputs);
            return outputs.ok ? outputs : err({ failure: outputs.error });
          },
        });
      } catch (error) {
        return err({ failure: failureOf(error, signal) });
      }
    },
    [Symbol.asyncDispose]: async () => {},
  };
}
