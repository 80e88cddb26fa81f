import { pathToFileURL } from 'node:url';
import type { CommitFile } from '@huggingface/hub';
import {
  type RemoteContent,
  RemoteFailure,
  type RemoteObject,
  type RemoteStore,
  remoteName,
  type SentContent,
} from '../../runtime/index.ts';
import { HttpFailure, sendRequest, withinAnswerTime } from '../http/send-request.ts';
import type { HubAddress } from '../hub/hub-address.ts';
import { fileUrl, listRepository } from '../hub/hub-client.ts';
import { type HubSettings, hubSettings } from '../hub/hub-settings.ts';
import { hubFetch, placeholder } from '../hub/push-to-hub.ts';
import { type OpenRemote, RemoteHost, received } from './remote-host.ts';

/** A dataset repository of the Hugging Face hub. Objects that are put at the same time share a commit. */
export function hubStore(
  { repository, branch }: { readonly repository: string; readonly branch: string },
  open: OpenRemote,
): RemoteStore {
  const settings = settingsOf(open);
  const { endpoint, credential } = settings;
  const address: HubAddress = {
    type: 'dataset',
    name: repository,
    revision: branch,
    path: undefined,
    split: undefined,
  };
  const url = `hf:datasets/${repository}`;
  const host = new RemoteHost(new URL(endpoint).host);
  const request = <Value>(signal: AbortSignal, attempt: () => Promise<Value>): Promise<Value> =>
    host.request(signal, () => explained(attempt, { url, endpoint }));
  const common = { repo: { type: 'dataset', name: repository } as const, hubUrl: endpoint };
  const send = hubFetch(settings);
  const commits = new CommitQueue(async (objects, signal) => {
    const { commit } = await import('@huggingface/hub');
    const title = objects.length === 1 ? 'Add a result' : `Add ${objects.length} files of results`;
    const operations = objects.map(operationOf);
    await request(signal, async () => {
      await commit({
        ...{ ...common, branch, title, operations, accessToken: placeholder, abortSignal: signal },
        fetch: (input, init) => send(input, { ...init, signal }),
      });
    });
  });
  return {
    name: open.name,
    // Each commit takes all that waits.
    parallel: 256,
    url: branch === 'main' ? url : `${url}@${branch}`,
    async has(objects, { signal }) {
      const { pathsInfo } = await import('@huggingface/hub');
      const held = new Set<string>();
      for (let from = 0; from < objects.length; from += pathsAtOnce) {
        const paths = objects.slice(from, from + pathsAtOnce).map(remoteName);
        const found = await request(signal, () =>
          withinAnswerTime({ url: new URL(endpoint), signal }, (limited) =>
            pathsInfo({
              ...{ ...common, paths, revision: branch },
              fetch: (input, init) => send(input, { ...init, signal: limited }),
            }),
          ),
        );
        const wanted = new Set(paths);
        for (const { path } of found) if (wanted.has(path)) held.add(path);
      }
      return held;
    },
    get: (object, { offset = 0, signal }) =>
      request(signal, async (): Promise<RemoteContent | undefined> => {
        const range = offset === 0 ? {} : { range: `bytes=${offset}-` };
        const path = remoteName(object);
        const answer = await sendRequest({
          ...{ url: fileUrl(address, { endpoint, commit: branch, path }), credential, signal },
          headers: { 'accept-encoding': 'identity', ...range },
        }).catch((error: unknown) => {
          if (isAbsentFile(error)) return undefined;
          throw error;
        });
        if (answer === undefined) return undefined;
        const begins =
          answer.status === 206
            ? Number(/^bytes (\d+)-/.exec(answer.headers.get('content-range') ?? '')?.[1] ?? 0)
            : 0;
        const length = answer.headers.get('content-length');
        return {
          offset: begins,
          size: length === null ? undefined : begins + Number(length),
          bytes: received(answer.body ?? nothing(), { ...open, host: url, signal }),
        };
      }),
    async put(object, content, { signal, onProgress }) {
      await commits.add({ object, content }, signal);
      onProgress?.('bytes' in content ? content.bytes.byteLength : content.size);
    },
    async *list(kind, { signal }) {
      const folder = kind === 'blob' ? 'cas' : 'ac';
      const { files } = await request(signal, () =>
        listRepository(address, { settings, signal, commit: branch, folder, recursive: false }).catch(
          (error: unknown) => {
            if (isAbsentFile(error)) return { files: [], folders: [] };
            throw error;
          },
        ),
      );
      for (const { path } of files) {
        const [, name] = /^(?:cas|ac)\/([0-9a-f]{64})$/.exec(path) ?? [];
        if (name !== undefined) yield name;
      }
    },
  };
}

/** The hub answers up to 1,000 paths at once. */
const pathsAtOnce = 500;

function settingsOf({ token, environment }: OpenRemote): HubSettings {
  const settings = hubSettings(environment);
  if (settings.offline)
    throw new RemoteFailure({ kind: 'unreachable', message: 'HF_HUB_OFFLINE forbids asking the hub' });
  if (token === undefined) return settings;
  return { ...settings, credential: { origin: new URL(settings.endpoint).origin, token } };
}

interface NewObject {
  readonly object: RemoteObject;
  readonly content: SentContent;
}

const operationOf = ({ object, content }: NewObject): CommitFile => ({
  operation: 'addOrUpdate',
  path: remoteName(object),
  // A copy, since Blob takes no view of memory that may be shared.
  content: 'bytes' in content ? new Blob([Uint8Array.from(content.bytes)]) : pathToFileURL(content.path),
});

const isAbsentFile = (error: unknown): boolean =>
  error instanceof HttpFailure && error.status === 404 && error.reason === 'EntryNotFound';

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function explained<Value>(
  send: () => Promise<Value>,
  { url, endpoint }: { readonly url: string; readonly endpoint: string },
): Promise<Value> {
  try {
    return await send();
  } catch (error) {
    if (!(error instanceof HttpFailure) || error.status !== 404) throw error;
    throw new RemoteFailure({
      kind: 'refused',
      message: `${url} does not exist on the hub, or lacks the branch`,
      help: `make it at ${endpoint}/new-dataset; a private one wants the token of an account that may read it, in HF_TOKEN`,
      cause: error,
    });
  }
}

/** Joins what is put while a commit is under way into the next one, because a commit takes seconds whatever its size. */
class CommitQueue {
  readonly #commit: (objects: readonly NewObject[], signal: AbortSignal) => Promise<void>;
  #waiting: NewObject[] = [];
  #next: Promise<void> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(commit: (objects: readonly NewObject[], signal: AbortSignal) => Promise<void>) {
    this.#commit = commit;
  }

  /** Resolves once the object is in a commit. */
  add(object: NewObject, signal: AbortSignal): Promise<void> {
    this.#waiting.push(object);
    this.#next ??= this.#afterLast(signal);
    return this.#next;
  }

  #afterLast(signal: AbortSignal): Promise<void> {
    const commit = this.#last.then(async () => {
      // What the caller puts in the same moment comes along.
      await new Promise((soon) => setTimeout(soon, 20));
      const objects = this.#waiting;
      this.#waiting = [];
      this.#next = undefined;
      await this.#commit(objects, signal);
    });
    this.#last = commit.catch(() => {});
    return commit;
  }
}
