import { relative, sep } from 'node:path';
import { isObject } from '../../core/index.ts';
import {
  type ActionPort,
  type Digest,
  type Failure,
  type Job,
  type PortableAction,
  type PortContent,
  parsePortContent,
  parseStageMessage,
} from '../../runtime/index.ts';
import { requestOf, valuesOf } from '../job/job-request.ts';
import type { JobSite } from '../job/job-site.ts';
import type { JobState } from '../job/launcher.ts';
import type { SlurmOptions } from '../slurm/slurm-launcher.ts';
import type { WorkerConnection } from './connection.ts';

/** The place of one job on another machine, with what came from there checked. */
export interface RemoteJob extends Omit<JobSite, 'submit' | 'restart'> {
  submit(
    action: PortableAction,
  ): Promise<{ readonly place: string; readonly paths: ReadonlyMap<string, string> }>;
  restart(): Promise<{ readonly place: string }>;
  collect(): Promise<
    { readonly outputs: Readonly<Record<string, PortContent>> } | { readonly failure: Failure }
  >;
  /** It is over; `succeeded`: its results are here. */
  end(how: { readonly succeeded: boolean }): Promise<void>;
}

export function remoteJob(
  job: Job,
  { connection, slurm }: { readonly connection: WorkerConnection; readonly slurm: SlurmOptions | undefined },
): RemoteJob {
  const { folder, name, action } = job;
  // `state/<key>/<attempt>` of the store here, and below it the folders of shares.
  const [, key, ...attempt] = relative(job.store.root, folder).split(sep);
  const where = {
    key,
    attempt: attempt.join('-'),
    ...(slurm && { slurm }),
  };
  const call = async (method: string, params: Readonly<Record<string, unknown>> = {}) =>
    connection.call(method, { ...where, ...params });
  const { action: _, ...request } = requestOf(job);
  const environment = valuesOf(request, process.env);
  return {
    submit: async (portable) => {
      const { value } = await call('submit', { name, action: portable, request, environment });
      const { place, paths } = isObject(value) ? value : {};
      return {
        place: placeOf(place, connection.host),
        paths: new Map(
          Object.entries(isObject(paths) ? paths : {}).flatMap(([pointer, path]) =>
            typeof path === 'string' && path !== '' ? [[pointer, path] as const] : [],
          ),
        ),
      };
    },
    restart: async () => {
      const { value } = await call('restart', { name, environment });
      return { place: placeOf(isObject(value) ? value.place : undefined, connection.host) };
    },
    read: async (_folder, file, at) => (await call('read', { file, ...at })).bytes,
    state: async () => stateIn((await call('state')).value),
    stop: async (_folder, how) => void (await call('stop', how)),
    explain: async (_folder, failure) => failureIn((await call('explain', { failure })).value),
    collect: async () => {
      const { value } = await call('collect');
      if (isObject(value) && value.ok === false) return { failure: failureIn(value.error) };
      return { outputs: outputsIn(isObject(value) ? value.value : undefined, action.outputs) };
    },
    end: async (how) => void (await call('end', how)),
  };
}

const placeOf = (place: unknown, host: string): string =>
  `${typeof place === 'string' ? place.slice(0, 100) : 'its job'} on ${host}`;

/** The digests of exactly the outputs and parts that the stage declares. */
function outputsIn(
  value: unknown,
  declared: Readonly<Record<string, ActionPort>>,
): Readonly<Record<string, PortContent>> {
  const found = isObject(value) ? value : {};
  return Object.fromEntries(
    Object.entries(declared).map(([port, content]): [string, PortContent] => {
      const given = Object.hasOwn(found, port) ? parsePortContent(found[port]) : undefined;
      if ('path' in content && typeof given === 'string') return [port, given];
      if (!('path' in content) && given !== undefined && typeof given !== 'string') {
        const parts = Object.keys(content.parts).map((part) => [part, given.parts[part]] as const);
        if (parts.every((part): part is [string, Digest] => part[1] !== undefined))
          return [port, { parts: Object.fromEntries(parts) }];
      }
      throw new Error(`the worker names no digests for the output ${port}`);
    }),
  );
}

function stateIn(value: unknown): JobState {
  const { kind, because, failure } = isObject(value) ? value : {};
  const text = typeof because === 'string' ? because.slice(0, 500) : undefined;
  switch (kind) {
    case 'waiting':
      return { kind, ...(text !== undefined && { because: text }) };
    case 'running':
    case 'preempted':
      return { kind };
    case 'ended':
      return { kind, ...(failure !== undefined && { failure: failureIn(failure) }) };
    default:
      return { kind: 'unknown', because: text ?? 'its answer makes no sense' };
  }
}

/** A failure, with what is unreadable in it replaced. */
function failureIn(value: unknown): Failure {
  const message = parseStageMessage({ type: 'failed', failure: value });
  if (message?.type !== 'failed') throw new Error('a failed message is always one');
  return message.failure;
}
