import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { isObject, UserError } from '../../core/index.ts';
import {
  attemptFiles,
  attemptFolder,
  blobFile,
  createStore,
  type Digest,
  detachAttempt,
  discardAttempt,
  ingestOutputs,
  layOutPortable,
  openAttempt,
  openStore,
  type PortableAction,
  parseCacheKey,
  parseDigest,
  releaseAttempt,
  type Store,
  sweepAttempts,
} from '../../runtime/index.ts';
import { type JobRequest, readRequest } from '../job/job-request.ts';
import { type JobSite, openSite, type SubmittedFolder } from '../job/job-site.ts';
import type { Launcher } from '../job/launcher.ts';
import { type SlurmOptions, slurmLauncher } from '../slurm/slurm-launcher.ts';
import { blobSize, IncomingBlob, missingBlobs, readPiece } from './blobs.ts';
import { type Frame, greeting, readFrames, writeFrame } from './frames.ts';
import { processLauncher } from './process-launcher.ts';

/** What stands for the module of `tuneloom/stage` in code that travels. */
export const stageApiMark = 'tuneloom-stage-api:';

export interface WorkerOptions {
  readonly input: Readable;
  readonly output: Writable;
  /** Absolute. */
  readonly root: string;
  readonly version: string;
  /** The script of a job's process, and the module that users' stages import. */
  readonly jobProgram: string;
  readonly stageApi: string;
}

/**
 * The end of an ssh executor on the machine that runs stages: keeps the contents that are sent in its own store, starts
 * jobs there and tells what they say, until the connection ends. The jobs go on.
 */
export async function serveWorker(options: WorkerOptions): Promise<void> {
  const { input, output, root } = options;
  const store = openStore(root);
  await createStore(store);
  await sweepAttempts(store, new Date());
  const worker = new Worker(options, store);
  output.on('error', () => process.exit(1));
  output.write(greeting);
  for await (const { head, bytes } of readFrames(input)) void answer(head, bytes);
  await store.statCache.save();
  // Waiting calls have nobody to answer.
  process.exit(0);

  async function answer(head: Frame['head'], bytes: Uint8Array): Promise<void> {
    const { id, method, params } = head;
    try {
      const result = await worker.call(String(method), isObject(params) ? params : {}, bytes);
      const { value = null, bytes: sent = new Uint8Array() } = result;
      await writeFrame(output, { head: { id, value }, bytes: sent });
    } catch (error) {
      const { code, help } = error instanceof UserError ? error : {};
      const message = error instanceof Error ? error.message : String(error);
      await writeFrame(output, { head: { id, error: { code, message, help } }, bytes: new Uint8Array() });
    }
  }
}

type Params = Readonly<Record<string, unknown>>;
type Answered = { readonly value?: unknown; readonly bytes?: Uint8Array };

class Worker {
  readonly #options: WorkerOptions;
  readonly #store: Store;
  readonly #calls: Readonly<Record<string, (params: Params, bytes: Uint8Array) => Promise<Answered>>>;
  /** Submissions under way: one that comes again after a lost connection waits for the first. */
  readonly #submitting = new Map<string, Promise<unknown>>();

  constructor(options: WorkerOptions, store: Store) {
    this.#options = options;
    this.#store = store;
    this.#calls = {
      hello: async () => ({ value: { version: options.version } }),
      missing: async ({ digests }) => ({ value: await missingBlobs(store, listOfDigests(digests)) }),
      received: async ({ digest }) => ({ value: await new IncomingBlob(store, digestIn(digest)).received() }),
      write: async ({ digest, offset }, bytes) => {
        await new IncomingBlob(store, digestIn(digest)).write(bytes, Number(offset));
        return {};
      },
      finish: async ({ digest, size }) => {
        await new IncomingBlob(store, digestIn(digest)).finish(Number(size));
        return {};
      },
      size: async ({ digest }) => ({ value: await blobSize(store, digestIn(digest)) }),
      piece: async ({ digest, offset }) => ({
        bytes: await readPiece(blobFile(store, digestIn(digest)), Number(offset)),
      }),
      submit: async (params) => ({ value: await this.#submit(params) }),
      restart: async (params) => {
        const job = await this.#jobOf(params);
        return { value: await this.#site(params).restart(job) };
      },
      read: async (params) => {
        const { file, offset, waitMs } = params;
        const at = { offset: Number(offset), waitMs: Number(waitMs) };
        const which = file === 'log' ? 'log' : 'events';
        return { bytes: await this.#site(params).read(this.#folder(params), which, at) };
      },
      state: async (params) => ({ value: await this.#site(params).state(this.#folder(params)) }),
      stop: async (params) => {
        await this.#site(params).stop(this.#folder(params), { now: params.now === true });
        return {};
      },
      explain: async (params) => ({
        value: await this.#site(params).explain(this.#folder(params), params.failure as never),
      }),
      collect: async (params) => ({ value: await this.#collect(this.#folder(params)) }),
      end: async (params) => {
        const folder = this.#folder(params);
        await (params.succeeded === true ? discardAttempt(folder) : releaseAttempt(folder));
        return {};
      },
    };
  }

  async call(method: string, params: Params, bytes: Uint8Array): Promise<Answered> {
    const found = Object.hasOwn(this.#calls, method) ? this.#calls[method] : undefined;
    if (found === undefined) throw new Error(`a worker has no method ${method}`);
    return await found(params, bytes);
  }

  /** The attempt's folder in this store. */
  #folder({ key, attempt }: Params): string {
    const parsed = parseCacheKey(key);
    if (parsed === undefined || typeof attempt !== 'string' || !/^[A-Za-z0-9][\w.-]*$/.test(attempt))
      throw new Error('a job is named by its key and its attempt');
    return attemptFolder(this.#store, { key: parsed, attempt });
  }

  #site({ slurm }: Params): JobSite {
    return openSite({ executor: 'worker', root: this.#store.root, launcher: this.#launcher(slurm) });
  }

  readonly #launchers = new Map<string, Launcher>();

  #launcher(slurm: unknown): Launcher {
    const program = this.#options.jobProgram;
    const name = JSON.stringify(slurm ?? null);
    const found =
      this.#launchers.get(name) ??
      // From the person who may run anything here.
      (isObject(slurm)
        ? slurmLauncher({ ...(slurm as unknown as SlurmOptions), program })
        : processLauncher({ program }));
    this.#launchers.set(name, found);
    return found;
  }

  async #submit(params: Params): Promise<unknown> {
    const folder = this.#folder(params);
    const running = this.#submitting.get(folder) ?? this.#submitNow(folder, params);
    this.#submitting.set(folder, running);
    return await running.finally(() => this.#submitting.delete(folder));
  }

  async #submitNow(folder: string, params: Params): Promise<unknown> {
    const laidOut = join(folder, 'paths.json');
    if (!existsSync(laidOut)) await this.#layOut(folder, params);
    const { place } = await this.#site(params).submit(await this.#jobOf(params));
    await detachAttempt(folder);
    return { place, paths: JSON.parse(await readFile(laidOut, 'utf8')) };
  }

  /** Lays out the action in a new attempt, which takes over the state that earlier ones left here. */
  async #layOut(folder: string, params: Params): Promise<void> {
    const portable = params.action as unknown as PortableAction; // from this user's own tuneloom, of the same version
    const key = parseCacheKey(params.key);
    if (key === undefined) throw new Error('a job has a key');
    if (!existsSync(folder)) await openAttempt(this.#store, { key, attempt: String(params.attempt) });
    const { action, paths } = await layOutPortable(portable, { store: this.#store, folder });
    if (portable.code !== undefined && action.code !== undefined) {
      const text = await readFile(blobFile(this.#store, portable.code), 'utf8');
      const { stageApi } = this.#options;
      await writeFile(action.code, text.replaceAll(stageApiMark, pathToFileURL(stageApi).href));
    }
    const request = { ...(params.request as unknown as JobRequest), action };
    await writeFile(join(folder, attemptFiles.request), JSON.stringify(request));
    await writeFile(join(folder, 'paths.json'), JSON.stringify(paths));
  }

  async #jobOf(params: Params): Promise<SubmittedFolder> {
    const folder = this.#folder(params);
    const request = await readRequest(folder);
    const { name, environment } = params;
    return {
      ...{ folder, request, resources: request.action.resources },
      name: typeof name === 'string' ? name : '',
      environment: isObject(environment) ? (environment as Readonly<Record<string, string>>) : {},
    };
  }

  /** The digests of a job's outputs, which are then in this store. */
  async #collect(folder: string): Promise<unknown> {
    const kept = join(folder, 'collected.json');
    if (existsSync(kept)) return JSON.parse(await readFile(kept, 'utf8'));
    const { action } = await readRequest(folder);
    const outputs = await ingestOutputs(this.#store, action.outputs);
    // A missing output is found again; one that is in the store would not be.
    if (outputs.ok) await writeFile(kept, JSON.stringify(outputs));
    return outputs;
  }
}

const digestIn = (value: unknown): Digest => {
  const digest = parseDigest(value);
  if (digest === undefined) throw new Error('a content is named by its digest');
  return digest;
};

const listOfDigests = (value: unknown): readonly Digest[] =>
  Array.isArray(value) ? value.map(digestIn) : [];
