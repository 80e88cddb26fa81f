import type { CacheKey } from '../key/key-material.ts';
import { RemoteFailure, type RemoteStore } from './remote-store.ts';
import { mostRecordBytes, openSignedRecord, type PublicKey, type SignedRecord } from './signature.ts';

/** What a remote holds under a cache key. */
export type RemoteRecord = SignedRecord | { readonly kind: 'absent' };

/** How often a transfer is begun again that breaks off. */
const mostTries = 3;

/** Asks a remote for the record of a cache key. Throws a RemoteFailure, or the signal's reason. */
export async function remoteRecord(
  remote: RemoteStore,
  request: {
    readonly key: CacheKey;
    readonly trusted: ReadonlySet<PublicKey>;
    readonly signal: AbortSignal;
  },
): Promise<RemoteRecord> {
  for (let tries = 1; ; tries += 1) {
    try {
      const bytes = await recordBytes(remote, request);
      return bytes === undefined ? { kind: 'absent' } : openSignedRecord(bytes, request);
    } catch (error) {
      const mayPass = error instanceof RemoteFailure && error.kind === 'interrupted';
      if (!mayPass || tries === mostTries) throw error;
    }
  }
}

/** Undefined if there is no record. Of what is too long to be one, only a part that is none is read. */
async function recordBytes(
  remote: RemoteStore,
  { key, signal }: { readonly key: CacheKey; readonly signal: AbortSignal },
): Promise<Uint8Array | undefined> {
  const content = await remote.get({ kind: 'record', key }, { signal });
  if (content === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of content.bytes) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size > mostRecordBytes) break;
  }
  if (content.size !== undefined && size < content.size && size <= mostRecordBytes)
    throw new RemoteFailure({ kind: 'interrupted', message: 'a record arrived incomplete' });
  return Buffer.concat(chunks);
}
