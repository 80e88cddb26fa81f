import { existsSync } from 'node:fs';
import pMap from 'p-map';
import { type Digest, digestOf, hexOf, isFolderDigest } from '../key/digest.ts';
import { contentState } from '../store/content-state.ts';
import { blobFile } from '../store/find-blob.ts';
import { type FolderFile, findManifest } from '../store/folder-manifest.ts';
import type { Store, WantedContent } from '../store/store.ts';
import { fetchBlob, type WithinTime } from './fetch-blob.ts';
import type { RemoteStore } from './remote-store.ts';

/** What happens to a wanted content. */
export type FetchedContent = {
  readonly content: WantedContent;
  readonly remote: string;
} & (
  | { readonly kind: 'started' | 'finished' | 'failed' }
  | {
      readonly kind: 'progress';
      /** In bytes. */
      readonly done: number;
      readonly total?: number;
    }
);

interface ContentFetch {
  readonly content: WantedContent;
  readonly remote: RemoteStore;
  readonly signal: AbortSignal;
  readonly report: (fetched: FetchedContent) => void;
  readonly within: WithinTime;
}

const filesAtOnce = 16;

/**
 * Brings a content from a remote into the store: a folder's manifest first, then those of its files that are not here.
 * `absent`: the remote lacks some of it; what it has is kept. Throws a RemoteFailure, or the signal's reason.
 */
export async function fetchContent(
  store: Store,
  fetch: ContentFetch,
): Promise<'here' | 'absent' | 'damaged'> {
  const { content, remote, signal, report, within } = fetch;
  const { digest } = content;
  if ((await contentState(store, digest)) === 'present') return 'here';
  const about = { content, remote: remote.name };
  report({ ...about, kind: 'started' });
  let [done, total]: [number, number | undefined] = [0, undefined];
  const onBytes = (count: number): void => {
    done += count;
    report({ ...about, kind: 'progress', done, ...(total !== undefined && { total }) });
  };
  const get = (digest: Digest, size: number | undefined, onSize: (size: number) => void = () => {}) =>
    fetchBlob(store, { hex: hexOf(digest), size, remote, signal, within, onBytes, onSize });
  const isFolder = isFolderDigest(digest);
  if (!isFolder || !existsSync(blobFile(store, digest)) || findManifest(store, digest) === undefined) {
    const first = await get(digest, undefined, (size) => {
      if (!isFolder) total = size;
    });
    if (first !== 'here' || !isFolder) return first;
  }
  const files = findManifest(store, digest);
  if (files === undefined) return 'damaged';
  const missing = await filesNotHere(store, files);
  total = missing.reduce((sum, { size }) => sum + size, 0);
  done = 0;
  const ends = await pMap(missing, (file) => get(file.digest, file.size), {
    concurrency: remote.parallel ?? filesAtOnce,
    signal,
  });
  return ends.find((end) => end !== 'here') ?? 'here';
}

/** Each digest once. */
async function filesNotHere(store: Store, files: readonly FolderFile[]): Promise<readonly FolderFile[]> {
  const byDigest = new Map(files.map((file) => [file.digest, file]));
  const missing: FolderFile[] = [];
  for (const file of byDigest.values()) {
    const state = await contentState(store, digestOf('file', hexOf(file.digest)));
    if (state !== 'present') missing.push(file);
  }
  return missing;
}
