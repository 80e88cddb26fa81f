import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import pMap from 'p-map';
import {
  type RemoteContent,
  RemoteFailure,
  type RemoteObject,
  type RemoteStore,
  remoteName,
  type SentContent,
} from '../../runtime/index.ts';
import { ConnectionFailure, HttpFailure } from '../http/send-request.ts';
import { type OpenRemote, RemoteHost, received } from './remote-host.ts';
import { putInParts, worthParts } from './s3-parts.ts';

const connections = 24;
/** A small object is sent from memory. */
const mostBytesInMemory = 2 ** 20;

/** A bucket of S3, or of a service that speaks its protocol. Credentials come from where AWS's own tools find them. */
export function s3Store(place: S3Place, open: OpenRemote): RemoteStore {
  const { bucket, prefix } = place;
  const client = clientOf(open);
  const host = new RemoteHost(`s3://${bucket}`);
  const request = <Value>(signal: AbortSignal, attempt: () => Promise<Value>): Promise<Value> =>
    host.request(signal, () => understood(attempt));
  const keyOf = (object: RemoteObject) => ({ Bucket: bucket, Key: `${prefix}${remoteName(object)}` });
  const page = (inside: string, { after, signal }: { after: string | undefined; signal: AbortSignal }) =>
    request(signal, () =>
      client.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix}${inside}`, ContinuationToken: after }),
        { abortSignal: signal },
      ),
    );
  async function* names(inside: string, signal: AbortSignal): AsyncGenerator<string> {
    for (let after: string | undefined; ; ) {
      const { Contents = [], NextContinuationToken } = await page(inside, { after, signal });
      for (const { Key = '' } of Contents) yield Key.slice(prefix.length);
      if (NextContinuationToken === undefined) return;
      after = NextContinuationToken;
    }
  }
  const holds = (object: RemoteObject, signal: AbortSignal): Promise<boolean> =>
    request(signal, () =>
      orAbsent(() => client.send(new HeadObjectCommand(keyOf(object)), { abortSignal: signal })),
    ).then((found) => found !== undefined);
  return {
    name: open.name,
    url: `s3://${bucket}/${prefix}`,
    async has(objects, { signal }) {
      const listed = await listedAmong(objects, (inside) => names(inside, signal));
      if (listed !== undefined) return listed;
      const held = await pMap(
        objects,
        async (object) => ((await holds(object, signal)) ? remoteName(object) : []),
        { concurrency: connections },
      );
      return new Set(held.flat());
    },
    get: (object, { offset = 0, signal }) =>
      request(signal, async (): Promise<RemoteContent | undefined> => {
        const range = offset === 0 ? {} : { Range: `bytes=${offset}-` };
        const answer = await orAbsent(() =>
          client.send(new GetObjectCommand({ ...keyOf(object), ...range }), { abortSignal: signal }),
        );
        if (answer === undefined) return undefined;
        const { Body, ContentLength, ContentRange } = answer;
        const begins = ContentRange === undefined ? 0 : Number(/^bytes (\d+)-/.exec(ContentRange)?.[1] ?? 0);
        // On Node, the body is a stream of bytes.
        const chunks = Body as AsyncIterable<Uint8Array> | undefined;
        return {
          offset: begins,
          size: ContentLength === undefined ? undefined : begins + ContentLength,
          bytes: received(chunks ?? nothing(), { ...open, host: `s3://${bucket}`, signal }),
        };
      }),
    async put(object, content, { signal, onProgress }) {
      if ('path' in content && content.size > worthParts) {
        const call = { client, ...keyOf(object), request, signal, onProgress };
        await putInParts(content, call);
        return;
      }
      await request(signal, async () => {
        const body = { Body: await bodyOf(content), ContentLength: sizeOf(content) };
        await client.send(new PutObjectCommand({ ...keyOf(object), ...body }), { abortSignal: signal });
      });
      onProgress?.(sizeOf(content));
    },
    async *list(kind, { signal }) {
      for await (const name of names(kind === 'blob' ? 'cas/' : 'ac/', signal)) {
        const [, found] = /^(?:cas|ac)\/([0-9a-f]{64})$/.exec(name) ?? [];
        if (found !== undefined) yield found;
      }
    },
  };
}

interface S3Place {
  readonly bucket: string;
  /** Empty, or ends in `/`. */
  readonly prefix: string;
}

function clientOf({ endpoint, region, profile, idleMilliseconds, environment }: OpenRemote): S3Client {
  const { AWS_REGION, AWS_DEFAULT_REGION, AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3 } = environment;
  const isElsewhere = (endpoint || AWS_ENDPOINT_URL_S3 || AWS_ENDPOINT_URL) !== undefined;
  const found = region || AWS_REGION || AWS_DEFAULT_REGION || (isElsewhere ? 'us-east-1' : undefined);
  const agent = { keepAlive: true, maxSockets: connections };
  // The package warns of every version of Node that it will drop within a year.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  return new S3Client({
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(found === undefined ? {} : { region: found }),
    ...(profile === undefined ? {} : { profile }),
    forcePathStyle: isElsewhere,
    followRegionRedirects: true,
    // Readers compare bytes with their digest; other services refuse AWS's newer checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: Math.min(10_000, idleMilliseconds),
      socketTimeout: idleMilliseconds,
      httpAgent: agent,
      httpsAgent: agent,
    },
  });
}

/** Bodies of 10,000 objects are listed in 10 requests, and asked for in 10,000. */
const worthListing = 256;
const namesInPage = 1000;
const shards = [...Array(256).keys()].map((byte) => byte.toString(16).padStart(2, '0'));

/**
 * The objects that a listing names; undefined where asking for each is cheaper. A digest's digits are random, so that one
 * shelf of 256 tells how much the remote holds.
 */
async function listedAmong(
  objects: readonly RemoteObject[],
  names: (inside: string) => AsyncIterable<string>,
): Promise<ReadonlySet<string> | undefined> {
  const wanted = new Set(objects.map(remoteName));
  const folders = new Set([...wanted].map((name) => name.slice(0, name.indexOf('/') + 1)));
  if (wanted.size < worthListing) return undefined;
  const held = new Set<string>();
  const take = async (inside: string): Promise<number> => {
    let count = 0;
    for await (const name of names(inside)) {
      count += 1;
      if (wanted.has(name)) held.add(name);
    }
    return count;
  };
  const [first = '', ...others] = shards;
  for (const folder of folders) {
    const whole = (await take(`${folder}${first}`)) * shards.length;
    const pages = Math.ceil(whole / namesInPage);
    if (pages * 2 > wanted.size) return undefined;
    // A small remote is listed at once, a large one in parts that do not wait for each other.
    if (pages < 16) await take(folder);
    else await pMap(others, (shard) => take(`${folder}${shard}`), { concurrency: connections });
  }
  return held;
}

const sizeOf = (content: SentContent): number =>
  'bytes' in content ? content.bytes.byteLength : content.size;

async function bodyOf(content: SentContent) {
  if ('bytes' in content) return content.bytes;
  return content.size <= mostBytesInMemory ? await readFile(content.path) : createReadStream(content.path);
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function orAbsent<Value>(send: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await send();
  } catch (error) {
    if (statusOf(error) === 404 && nameOf(error) !== 'NoSuchBucket') return undefined;
    throw error;
  }
}

/** Turns the errors of AWS's package into those of a host. Its texts may repeat what was sent, and are not shown. */
async function understood<Value>(send: () => Promise<Value>): Promise<Value> {
  try {
    return await send();
  } catch (error) {
    const [name, status] = [nameOf(error), statusOf(error)];
    if (name === 'CredentialsProviderError' || name === 'TokenProviderError') throw noCredentials(error);
    if (error instanceof Error && error.message === 'Region is missing') throw noRegion(error);
    if (name === 'NoSuchBucket') throw noBucket(error);
    if (status !== undefined) throw new HttpFailure({ status, headers: new Headers() });
    throw isOfNetwork(error) ? new ConnectionFailure(error) : error;
  }
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '');

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined;
  const { $metadata: metadata } = error;
  const status =
    typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata
      ? metadata.httpStatusCode
      : undefined;
  return typeof status === 'number' ? status : undefined;
}

const isOfNetwork = (error: unknown): boolean =>
  error instanceof Error &&
  ('code' in error || /^(Timeout|Network)|ECONN|socket/i.test(error.name + error.message));

const noCredentials = (cause: unknown): RemoteFailure =>
  new RemoteFailure({
    kind: 'forbidden',
    message: 'there are no credentials for S3',
    help: 'set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or `profile` beside its url',
    cause,
  });

const noRegion = (cause: unknown): RemoteFailure =>
  new RemoteFailure({
    kind: 'refused',
    message: 'no region of S3 is named',
    help: 'set `region` beside its url, or AWS_REGION',
    cause,
  });

const noBucket = (cause: unknown): RemoteFailure =>
  new RemoteFailure({
    kind: 'refused',
    message: 'there is no such bucket',
    help: 'make the bucket first; is its name right?',
    cause,
  });
