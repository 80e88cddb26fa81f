import pMap from 'p-map';
import { type Digest, hexOf } from '../key/digest.ts';
import type { CacheKey } from '../key/key-material.ts';
import { adoptRecord } from '../store/action-records.ts';
import { createStore, type Store, type WantedContent } from '../store/store.ts';
import { storageFailureOf } from '../store/system-error.ts';
import { type FetchedContent, fetchContent } from './fetch-content.ts';
import { describeRefused, type RefusedRecord, type RemoteProblem } from './remote-problem.ts';
import { remoteRecord } from './remote-record.ts';
import { RemoteFailure, type RemoteObject, type RemoteStore, remoteName } from './remote-store.ts';
import type { PublicKey } from './signature.ts';

/** A remote, and how long it may take to answer, in milliseconds. */
export interface OpenedRemote {
  readonly store: RemoteStore;
  readonly timeoutMs: number;
}

interface Fetching {
  readonly signal: AbortSignal;
  readonly report: (fetched: FetchedContent) => void;
}

/** How many keys are asked for together; each such question has the remote's whole time to answer. */
const keysAtOnce = 1000;
const recordsAtOnce = 32;
const contentsAtOnce = 4;

/**
 * The remotes of one command, in the order in which they are asked. A remote that fails is told of once and not asked again:
 * it costs no more than its time limit. No key is asked for twice.
 */
export class Remotes {
  readonly #remotes: readonly OpenedRemote[];
  readonly #trusted: ReadonlySet<PublicKey>;
  readonly #onProblem: (problem: RemoteProblem) => void;
  readonly #down = new Set<string>();
  readonly #asked = new Set<CacheKey>();
  readonly #refused: RefusedRecord[] = [];
  #learned = 0;
  /** How many of the refused records have been told of. */
  #told = 0;
  readonly #fetching = new Map<Digest, Promise<boolean>>();

  constructor({
    remotes,
    trusted,
    onProblem,
  }: {
    readonly remotes: readonly OpenedRemote[];
    /** The keys whose signatures make a record count. */
    readonly trusted: ReadonlySet<PublicKey>;
    readonly onProblem: (problem: RemoteProblem) => void;
  }) {
    this.#remotes = remotes;
    this.#trusted = trusted;
    this.#onProblem = onProblem;
  }

  /** How many records they have given. */
  get learned(): number {
    return this.#learned;
  }

  /** The records that were found and do not count. */
  get refused(): readonly RefusedRecord[] {
    return this.#refused;
  }

  /**
   * Asks for records, all in one batch, and keeps those that count in the store; their contents stay where they are. Returns
   * how many it kept.
   */
  async learn(store: Store, keys: Iterable<CacheKey>, signal: AbortSignal): Promise<number> {
    let wanted = [...new Set(keys)].filter((key) => !this.#asked.has(key));
    for (const key of wanted) this.#asked.add(key);
    const before = this.#learned;
    for (const remote of this.#remotes) {
      if (wanted.length === 0) break;
      const found = await this.#ask(remote, signal, () =>
        this.#learnFrom(remote, { store, keys: wanted, signal }),
      );
      wanted = wanted.filter((key) => found?.has(key) !== true);
    }
    for (const problem of describeRefused(this.#refused.slice(this.#told))) this.#onProblem(problem);
    this.#told = this.#refused.length;
    return this.#learned - before;
  }

  async #learnFrom(
    remote: OpenedRemote,
    {
      store,
      keys,
      signal,
    }: { readonly store: Store; readonly keys: readonly CacheKey[]; readonly signal: AbortSignal },
  ): Promise<ReadonlySet<CacheKey>> {
    const held: CacheKey[] = [];
    for (let at = 0; at < keys.length; at += keysAtOnce) {
      const objects = keys.slice(at, at + keysAtOnce).map((key): RemoteObject => ({ kind: 'record', key }));
      const names = await inTime(remote, signal, (limited) => remote.store.has(objects, { signal: limited }));
      held.push(...keys.filter((key) => names.has(remoteName({ kind: 'record', key }))));
    }
    const found = new Set<CacheKey>();
    if (held.length > 0) await createStore(store);
    const concurrency = remote.store.parallel ?? recordsAtOnce;
    await pMap(
      held,
      async (key) => {
        const trusted = this.#trusted;
        const answer = await inTime(remote, signal, (limited) =>
          remoteRecord(remote.store, { key, trusted, signal: limited }),
        );
        if (answer.kind === 'absent') return;
        if (answer.kind !== 'trusted') {
          const { kind: why, ...rest } = answer;
          this.#refused.push({ remote: remote.store.name, key, why, ...rest });
          return;
        }
        await adoptRecord(store, { record: answer.record, remote: remote.store.name });
        this.#learned += 1;
        found.add(key);
      },
      { concurrency },
    );
    return found;
  }

  /**
   * Brings contents into the store, every byte checked. Returns the digests of those that no remote gave. `report` takes the
   * progress of each content, by its name.
   */
  async fetch(
    store: Store,
    contents: readonly WantedContent[],
    { signal, report }: { readonly signal: AbortSignal; readonly report: (fetched: FetchedContent) => void },
  ): Promise<ReadonlySet<Digest>> {
    const lacking = new Set<Digest>();
    const distinct = new Map(contents.map((content) => [content.digest, content])).values();
    await pMap(
      distinct,
      async (content) => {
        // Several stages may need it at the same time.
        const running =
          this.#fetching.get(content.digest) ?? this.#fetchOne(store, content, { signal, report });
        this.#fetching.set(content.digest, running);
        if (!(await running.finally(() => this.#fetching.delete(content.digest))))
          lacking.add(content.digest);
      },
      { concurrency: contentsAtOnce },
    );
    return lacking;
  }

  async #fetchOne(store: Store, content: WantedContent, { signal, report }: Fetching): Promise<boolean> {
    for (const remote of this.#inOrder(content)) {
      const { name } = remote.store;
      const end = await this.#ask(remote, signal, () =>
        fetchContent(store, { content, remote: remote.store, signal, report, within: inTimeOf(remote) }),
      );
      report({ kind: end === 'here' ? 'finished' : 'failed', content, remote: name });
      if (end === 'here') return true;
      const message = `the file ${hexOf(content.digest)} there is damaged, and not used`;
      if (end === 'damaged') this.#onProblem({ remote: name, message });
    }
    return false;
  }

  /** The remote that gave the record first. */
  #inOrder({ remote: first }: WantedContent): readonly OpenedRemote[] {
    const isFirst = ({ store }: OpenedRemote): boolean => store.name === first;
    return [...this.#remotes.filter(isFirst), ...this.#remotes.filter((remote) => !isFirst(remote))];
  }

  /** Undefined if the remote is down or fails now, which makes it count as down; if the store takes nothing; after an abort. */
  async #ask<Value>(
    remote: OpenedRemote,
    signal: AbortSignal,
    question: () => Promise<Value>,
  ): Promise<Value | undefined> {
    if (this.#down.has(remote.store.name) || signal.aborted) return undefined;
    try {
      return await question();
    } catch (error) {
      if (signal.aborted) return undefined;
      const storage = storageFailureOf(error);
      if (storage !== undefined)
        this.#fail(remote, {
          message: `what it has cannot be kept here: ${storage.message}${storage.path === '' ? '' : ` (${storage.path})`}`,
        });
      else if (error instanceof RemoteFailure) this.#fail(remote, error);
      else throw error;
      return undefined;
    }
  }

  #fail(
    { store: { name } }: OpenedRemote,
    { message, help }: { readonly message: string; readonly help?: string | undefined },
  ): void {
    if (this.#down.has(name)) return;
    this.#down.add(name);
    this.#onProblem({ remote: name, message, ...(help !== undefined && { help }) });
  }
}

const inTimeOf =
  (remote: OpenedRemote) =>
  <Value>(signal: AbortSignal, question: (signal: AbortSignal) => Promise<Value>): Promise<Value> =>
    inTime(remote, signal, question);

/** The answer to a question; a RemoteFailure if it takes longer than the remote may take. */
async function inTime<Value>(
  { timeoutMs }: OpenedRemote,
  signal: AbortSignal,
  question: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const late = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const seconds = timeoutMs / 1000;
      const failure = new RemoteFailure({
        kind: 'unreachable',
        message: `it has not answered for ${seconds} s`,
        help: '`timeout` of the remote, in the settings, gives it longer',
      });
      reject(failure);
      late.abort(failure);
    }, timeoutMs);
  });
  try {
    return await Promise.race([question(AbortSignal.any([signal, late.signal])), limit]);
  } finally {
    clearTimeout(timer);
  }
}
