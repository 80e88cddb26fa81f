import { setMaxListeners } from 'node:events';
import { statSync } from 'node:fs';
import pMap from 'p-map';
import { canonicalJson } from '../../core/index.ts';
import { type Digest, digestsAt, hexOf, isFolderDigest } from '../key/digest.ts';
import { type ActionRecord, findRecord } from '../store/action-records.ts';
import { blobFile } from '../store/find-blob.ts';
import { readManifest } from '../store/folder-manifest.ts';
import type { Store } from '../store/store.ts';
import { type RemoteRecord, remoteRecord } from './remote-record.ts';
import { type RemoteObject, type RemoteStore, remoteName } from './remote-store.ts';
import { type PublicKey, type SigningKey, signRecord } from './signature.ts';

export interface PushRequest {
  readonly store: Store;
  readonly remote: RemoteStore;
  readonly records: readonly ActionRecord[];
  readonly signingKey: SigningKey;
  /** With the signing key. */
  readonly trusted: ReadonlySet<PublicKey>;
  /** Whether to ask for every file of results that the remote has a record of: it may have dropped some. */
  readonly checksFiles: boolean;
  /** Whether to send everything, whatever the remote has: a file there may be damaged. */
  readonly again?: boolean;
  /** Whether to send nothing, only to tell what would be sent. */
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: TransferProgress) => void;
}

/** Of a transfer of many files. */
export interface TransferProgress {
  readonly files: number;
  readonly totalFiles: number;
  readonly bytes: number;
  readonly totalBytes: number;
}

export interface PushResult {
  /** Results that the remote had, with a signature that counts. */
  readonly present: number;
  readonly sent: { readonly results: number; readonly files: number; readonly bytes: number };
  /** Of those sent: the remote had a record under their key that was unsigned, of an unknown key, or none. */
  readonly replaced: number;
  /** Results whose files are not all on this machine. */
  readonly incomplete: readonly ActionRecord[];
  /** Results of which the remote has others under the same key; those stay. */
  readonly different: readonly ActionRecord[];
}

/** Requests that wait for an answer at the same time, where the remote does not say how many it serves well. */
export const requestsAtOnce = 16;

/**
 * Sends results that a remote lacks: their files first, then the record, which makes the result visible. What was sent
 * before an interruption is not sent again. Throws a RemoteFailure, or the signal's reason.
 */
export async function pushRecords(request: PushRequest): Promise<PushResult> {
  const { store, remote, records, signal, checksFiles } = request;
  const found = await pMap(
    request.again ? [] : records,
    ({ key }) => remoteRecord(remote, { key, trusted: request.trusted, signal }),
    { concurrency: remote.parallel ?? requestsAtOnce },
  );
  const classes = records.map((record, index) => ({ record, standing: standingOf(record, found[index]) }));
  const candidates = classes.filter(
    ({ standing }) =>
      standing === 'absent' || standing === 'replaced' || (standing === 'same' && checksFiles),
  );
  const whole: Candidate[] = [];
  const incomplete: ActionRecord[] = [];
  for (const { record, standing } of candidates) {
    // The bytes are compared with their digest, unless they have not changed since: nothing damaged is sent.
    const here = await findRecord(store, record.key);
    if (here.kind === 'usable') whole.push({ record, standing, files: filesOf(store, record) });
    else incomplete.push(record);
  }
  const sent = await sendAll(whole, request);
  const changed = new Set(sent.results);
  return {
    present: classes.filter(({ standing, record }) => standing === 'same' && !changed.has(record)).length,
    sent: { results: changed.size, files: sent.files, bytes: sent.bytes },
    replaced: classes.filter(({ standing, record }) => standing === 'replaced' && changed.has(record)).length,
    incomplete,
    different: classes.filter(({ standing }) => standing === 'different').map(({ record }) => record),
  };
}

type Standing = 'absent' | 'same' | 'different' | 'replaced';

function standingOf(record: ActionRecord, found: RemoteRecord | undefined): Standing {
  if (found === undefined || found.kind === 'absent') return 'absent';
  if (found.kind !== 'trusted') return 'replaced';
  return canonicalJson(found.record.outputs) === canonicalJson(record.outputs) ? 'same' : 'different';
}

interface Candidate {
  readonly record: ActionRecord;
  readonly standing: Standing;
  readonly files: readonly StoredFile[];
}

interface StoredFile {
  readonly digest: string;
  /** Absolute. */
  readonly path: string;
}

/** Every blob that a record's outputs need. A folder's manifest comes after its files. */
function filesOf(store: Store, { outputs }: ActionRecord): readonly StoredFile[] {
  const at = (digest: Digest): StoredFile => ({ digest: hexOf(digest), path: blobFile(store, digest) });
  const digests = Object.values(outputs).flatMap((content) => [...digestsAt(content)]);
  return digests.flatMap(({ digest }) =>
    isFolderDigest(digest)
      ? [...readManifest(store, digest).map((file) => at(file.digest)), at(digest)]
      : [at(digest)],
  );
}

interface Sent {
  readonly results: readonly ActionRecord[];
  readonly files: number;
  readonly bytes: number;
}

async function sendAll(candidates: readonly Candidate[], request: PushRequest): Promise<Sent> {
  const { remote, signingKey, dryRun, onProgress } = request;
  const files = new Map(candidates.flatMap((one) => one.files).map((file) => [file.digest, file] as const));
  const objects = [...files.keys()].map((digest): RemoteObject => ({ kind: 'blob', digest }));
  const held: ReadonlySet<string> =
    objects.length === 0 || request.again ? new Set() : await remote.has(objects, { signal: request.signal });
  const missing = new Map<string, StoredFile & { readonly size: number }>();
  for (const object of objects) {
    const file = object.kind === 'blob' ? files.get(object.digest) : undefined;
    if (file !== undefined && !held.has(remoteName(object)))
      missing.set(file.digest, { ...file, size: statSync(file.path).size });
  }
  const total = [...missing.values()].reduce((sum, { size }) => sum + size, 0);
  const waits = candidates
    .map(({ record, standing, files: needed }) => ({
      record,
      standing,
      rest: new Set(needed.map(({ digest }) => digest).filter((digest) => missing.has(digest))),
    }))
    // The record is there; only files that the remote has lost are missing.
    .filter(({ standing, rest }) => standing !== 'same' || rest.size > 0);
  const results = waits.map(({ record }) => record);
  if (dryRun) return { results, files: missing.size, bytes: total };
  let [bytes, done] = [0, 0];
  const tell = (): void => onProgress({ files: done, totalFiles: missing.size, bytes, totalBytes: total });
  // Once one transfer has failed, the others end.
  const stop = new AbortController();
  const signal = AbortSignal.any([request.signal, stop.signal]);
  setMaxListeners(0, request.signal, signal);
  const sendRecord = async ({ record }: { readonly record: ActionRecord }): Promise<void> => {
    const content = { bytes: signRecord(record, signingKey) };
    await remote.put({ kind: 'record', key: record.key }, content, { signal });
  };
  const waitingFor = new Map<string, (typeof waits)[number][]>();
  for (const wait of waits)
    for (const digest of wait.rest) waitingFor.set(digest, [...(waitingFor.get(digest) ?? []), wait]);
  const sendFile = async ({ digest, path, size }: StoredFile & { readonly size: number }): Promise<void> => {
    const onSent = (count: number): void => {
      bytes += count;
      tell();
    };
    await remote.put({ kind: 'blob', digest }, { path, size }, { signal, onProgress: onSent });
    done += 1;
    tell();
    for (const wait of waitingFor.get(digest) ?? []) {
      wait.rest.delete(digest);
      if (wait.rest.size === 0) await sendRecord(wait);
    }
  };
  const ready = waits.filter(({ rest }) => rest.size === 0);
  const concurrency = remote.parallel ?? requestsAtOnce;
  try {
    await pMap(ready, sendRecord, { concurrency });
    await pMap(missing.values(), sendFile, { concurrency });
  } catch (error) {
    request.signal.throwIfAborted();
    throw error;
  } finally {
    stop.abort();
  }
  return { results, files: missing.size, bytes: total };
}
