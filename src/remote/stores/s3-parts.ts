import { createReadStream } from 'node:fs';
import {
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import pMap from 'p-map';
import { RemoteFailure } from '../../runtime/index.ts';

/** A larger file is sent in parts, at the same time, and an interrupted upload goes on with the parts that are missing. */
export const worthParts = 32 * 2 ** 20;

const leastPartBytes = 16 * 2 ** 20;
/** S3 takes 10,000. */
const mostParts = 9000;
const partsAtOnce = 6;

interface PartsCall {
  readonly client: S3Client;
  readonly Bucket: string;
  readonly Key: string;
  /** Tries again what may pass. */
  readonly request: <Value>(signal: AbortSignal, attempt: () => Promise<Value>) => Promise<Value>;
  readonly signal: AbortSignal;
  readonly onProgress: ((bytes: number) => void) | undefined;
}

/**
 * Sends a file in parts, and makes it visible with the last request. The object's name is the digest of its bytes, so that
 * the parts of any earlier upload under this name are parts of this file. A stopped upload leaves its parts for the next.
 */
export async function putInParts(
  file: { readonly path: string; readonly size: number },
  call: PartsCall,
): Promise<void> {
  const begun = await begunUpload(call);
  if (begun !== undefined) {
    try {
      await finishUpload(file, { ...call, uploadId: begun, parts: await partsOf(begun, call) });
      return;
    } catch (error) {
      // Another process may have finished it, or its parts are none of this file: a new upload does not depend on it.
      if (!(error instanceof RemoteFailure) || error.kind !== 'refused') throw error;
    }
  }
  await finishUpload(file, { ...call, uploadId: await beginUpload(call), parts: [] });
}

async function finishUpload(
  file: { readonly path: string; readonly size: number },
  call: PartsCall & { readonly uploadId: string; readonly parts: readonly SentPart[] },
): Promise<void> {
  const { client, Bucket, Key, request, signal, uploadId, onProgress = () => {} } = call;
  const partBytes = partBytesOf(file.size);
  const numbers = [...Array(Math.ceil(file.size / partBytes)).keys()].map((index) => index + 1);
  const sizeOf = (number: number): number => Math.min(partBytes, file.size - (number - 1) * partBytes);
  const done = new Map(
    call.parts
      .filter(({ number, size }) => size === sizeOf(number))
      .map(({ number, etag }) => [number, etag]),
  );
  let sent = 0;
  const count = (bytes: number): void => {
    sent += bytes;
    onProgress(bytes);
  };
  try {
    for (const number of done.keys()) count(sizeOf(number));
    await pMap(
      numbers.filter((number) => !done.has(number)),
      async (number) => {
        const start = (number - 1) * partBytes;
        const range = { start, end: start + sizeOf(number) - 1 };
        done.set(number, await sendPart({ ...file, ...range, number }, call));
        count(sizeOf(number));
      },
      { concurrency: partsAtOnce },
    );
    const Parts = numbers.map((number): CompletedPart => ({ PartNumber: number, ETag: done.get(number) }));
    const complete = { Bucket, Key, UploadId: uploadId, MultipartUpload: { Parts } };
    await request(signal, () =>
      client.send(new CompleteMultipartUploadCommand(complete), { abortSignal: signal }),
    );
  } catch (error) {
    onProgress(-sent);
    throw error;
  }
}

/** The same for every upload of a file, so that another one can go on with its parts. */
const partBytesOf = (size: number): number =>
  Math.max(leastPartBytes, Math.ceil(size / mostParts / 2 ** 20) * 2 ** 20);

/** The latest upload of this object that was not finished; undefined also where the remote does not tell. */
async function begunUpload({ client, Bucket, Key, signal }: PartsCall): Promise<string | undefined> {
  try {
    const list = new ListMultipartUploadsCommand({ Bucket, Prefix: Key });
    const { Uploads = [] } = await client.send(list, { abortSignal: signal });
    return Uploads.filter((upload) => upload.Key === Key).at(-1)?.UploadId;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

async function beginUpload({ client, Bucket, Key, request, signal }: PartsCall): Promise<string> {
  const create = new CreateMultipartUploadCommand({ Bucket, Key });
  const { UploadId } = await request(signal, () => client.send(create, { abortSignal: signal }));
  if (UploadId === undefined)
    throw new RemoteFailure({ kind: 'refused', message: `s3://${Bucket} begins no upload in parts` });
  return UploadId;
}

interface SentPart {
  readonly number: number;
  readonly etag: string;
  readonly size: number;
}

async function partsOf(
  UploadId: string,
  { client, Bucket, Key, request, signal }: PartsCall,
): Promise<readonly SentPart[]> {
  const parts: SentPart[] = [];
  for (let after: string | undefined; ; ) {
    const list = new ListPartsCommand({ Bucket, Key, UploadId, PartNumberMarker: after });
    const answer = await request(signal, () => client.send(list, { abortSignal: signal }));
    for (const { PartNumber: number, ETag: etag, Size: size } of answer.Parts ?? [])
      if (number !== undefined && etag !== undefined && size !== undefined)
        parts.push({ number, etag, size });
    if (answer.IsTruncated !== true || answer.NextPartNumberMarker === undefined) return parts;
    after = answer.NextPartNumberMarker;
  }
}

async function sendPart(
  part: { readonly path: string; readonly start: number; readonly end: number; readonly number: number },
  { client, Bucket, Key, request, signal, uploadId }: PartsCall & { readonly uploadId: string },
): Promise<string> {
  const { path, start, end, number } = part;
  const { ETag } = await request(signal, () =>
    client.send(
      new UploadPartCommand({
        ...{ Bucket, Key, UploadId: uploadId, PartNumber: number },
        Body: createReadStream(path, { start, end, highWaterMark: 2 ** 18 }),
        ContentLength: end - start + 1,
      }),
      { abortSignal: signal },
    ),
  );
  if (ETag === undefined)
    throw new RemoteFailure({ kind: 'refused', message: `s3://${Bucket} takes a part without naming it` });
  return ETag;
}
