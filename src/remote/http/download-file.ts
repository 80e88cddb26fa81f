import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { UserError } from '../../core/index.ts';
import {
  ConnectionFailure,
  HttpFailure,
  type HttpRequest,
  type OnWait,
  sendRequest,
  withRetries,
} from './send-request.ts';

interface Download extends HttpRequest {
  /** Absolute. The file appears complete and checked, or not at all; until then its part is beside it. */
  readonly path: string;
  readonly expected: ExpectedContent | undefined;
  readonly mostBytes: number;
  readonly report: (progress: { readonly done: number; readonly total?: number }) => void;
  readonly onWait?: OnWait | undefined;
}

/** Downloads a file. Continues an interrupted download if the host allows it. */
export async function downloadFile(download: Download): Promise<void> {
  const part = `${download.path}.part`;
  let earlier = await sizeOf(part);
  for (;;) {
    const received = await receive(download, part);
    if (isExpected(download.expected, received)) break;
    await removePart(part);
    // An earlier part may belong to another file; a complete new download has to be right.
    if (earlier === 0) throw damaged(download);
    earlier = 0;
  }
  await rename(part, download.path);
  await rm(`${part}.etag`, { force: true });
}

/** What an attempt must bring to count as progress: a host that breaks off after each byte is not asked for ever. */
const leastProgress = 2 ** 16;

interface Received {
  readonly size: number;
  readonly hex: string;
}

function receive(download: Download, part: string): Promise<Received> {
  let before = 0;
  return withRetries(() => receiveOnce(download, part), {
    signal: download.signal,
    onWait: download.onWait,
    hasAdvanced: async () => {
      const now = await sizeOf(part);
      const hasAdvanced = now >= before + leastProgress;
      if (hasAdvanced) before = now;
      return hasAdvanced;
    },
  });
}

async function receiveOnce(download: Download, part: string): Promise<Received> {
  const { expected, mostBytes, signal, report } = download;
  const start = await startOf(download, part);
  if (start.size > 0 && start.size === expected?.size) {
    const hash = await hashOf(part, expected);
    return { size: start.size, hex: hash.digest('hex') };
  }
  const response = await requestRest(download, { part, start });
  const offset = response.status === 206 ? start.size : 0;
  const total = expected?.size ?? totalOf(response, offset);
  const hash = offset === 0 ? hashFor(expected) : await hashOf(part, expected);
  await using file: FileHandle = await open(part, offset === 0 ? 'w' : 'a');
  await writeFile(`${part}.etag`, response.headers.get('etag') ?? '');
  const most = Math.min(mostBytes, expected?.size ?? Number.POSITIVE_INFINITY);
  const size = await receiveBody(response, {
    ...{ file, hash, offset, mostBytes: most, signal },
    report: (done) => report({ done, ...(total === undefined ? {} : { total }) }),
  });
  if (total !== undefined && size < total) throw new ConnectionFailure(new Error('the answer is incomplete'));
  await file.sync();
  return { size, hex: hash.digest('hex') };
}

interface Start {
  readonly size: number;
  /** Of the content that the part belongs to: the host sends the rest only if it is unchanged. */
  readonly etag: string | undefined;
}

/** Where to continue. Without an expected hash, that needs a strong etag. */
async function startOf({ expected }: Download, part: string): Promise<Start> {
  const etag = (await readFile(`${part}.etag`, 'utf8').catch(() => '')).trim();
  const strong = etag.startsWith('"') ? etag : undefined;
  const size = await sizeOf(part);
  const isUsable = size <= (expected?.size ?? Number.POSITIVE_INFINITY);
  return isUsable && (expected?.hash !== undefined || strong !== undefined)
    ? { size, etag: expected?.hash === undefined ? strong : undefined }
    : { size: 0, etag: undefined };
}

async function requestRest(
  download: Download,
  { part, start }: { readonly part: string; readonly start: Start },
): Promise<Response> {
  const range = start.size === 0 ? {} : { range: `bytes=${start.size}-` };
  const condition = start.size === 0 || start.etag === undefined ? {} : { 'if-range': start.etag };
  // The length of a compressed body would differ from the file's.
  const headers = { ...download.headers, 'accept-encoding': 'identity', ...range, ...condition };
  try {
    const response = await sendRequest({ ...download, headers });
    if (response.status !== 206 || startsAt(response) === start.size) return response;
    await response.body?.cancel();
  } catch (error) {
    if (!(error instanceof HttpFailure) || error.status !== 416) throw error;
  }
  await removePart(part);
  throw new ConnectionFailure(new Error('the host sends a different part of the file than was requested'));
}

const startsAt = ({ headers }: Response): number =>
  Number(/^bytes (\d+)-/.exec(headers.get('content-range') ?? '')?.[1] ?? Number.NaN);

function totalOf({ headers }: Response, offset: number): number | undefined {
  const length = headers.get('content-length');
  return length === null || headers.get('content-encoding') !== null ? undefined : offset + Number(length);
}

/** The hash of a file's content so far. */
export async function hashOf(path: string, expected: ExpectedContent | undefined): Promise<Hash> {
  const hash = hashFor(expected);
  await pipeline(createReadStream(path), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) hash.update(chunk);
  });
  return hash;
}

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

async function removePart(part: string): Promise<void> {
  await rm(part, { force: true });
  await rm(`${part}.etag`, { force: true });
}

const damaged = ({ url }: Download): UserError =>
  new UserError({
    code: 'damaged-download',
    message: `the file that ${url.host} sends is not the one it announces: its size or hash differs`,
    help: 'try again later; if that does not help, the file is damaged on the host',
  });

const idleMilliseconds = 60_000;
/** What must arrive within the idle time: a host that sends a byte now and then is as good as silent. */
const leastBytes = 2 ** 10;

interface Reception extends Pick<Download, 'mostBytes' | 'signal'> {
  readonly file: FileHandle;
  readonly hash: Hash;
  /** How many bytes the file already has. */
  readonly offset: number;
  readonly report: (done: number) => void;
}

/** Appends an answer's body to a file and returns the file's size. Throws ConnectionFailure if the body stalls or breaks off. */
async function receiveBody(response: Response, reception: Reception): Promise<number> {
  const { file, hash, offset, mostBytes, signal, report } = reception;
  let done = offset;
  const reader = response.body?.getReader();
  if (reader === undefined) return done;
  try {
    let arrived = 0;
    let deadline = performance.now() + idleMilliseconds;
    for (;;) {
      const { value } = await before(deadline, reader.read());
      if (value === undefined) return done;
      done += value.byteLength;
      arrived += value.byteLength;
      if (arrived >= leastBytes) {
        arrived = 0;
        deadline = performance.now() + idleMilliseconds;
      }
      if (done > mostBytes) throw tooLarge(mostBytes);
      hash.update(value);
      await file.writeFile(value);
      report(done);
    }
  } catch (error) {
    await reader.cancel().catch(() => {});
    const isOurs = signal.aborted || error instanceof UserError || isFromDisk(error);
    throw isOurs ? error : new ConnectionFailure(error);
  }
}

/** Rejects if the reading is not done by the deadline. */
async function before<Value>(deadline: number, reading: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error('almost no data arrived for a minute');
    timer = setTimeout(() => reject(error), Math.max(0, deadline - performance.now()));
  });
  try {
    return await Promise.race([reading, late]);
  } finally {
    clearTimeout(timer);
  }
}

const isFromDisk = (error: unknown): boolean =>
  error instanceof Error && 'syscall' in error && (error.syscall === 'write' || error.syscall === 'open');

const tooLarge = (mostBytes: number): UserError =>
  new UserError({
    code: 'source-too-large',
    message: `the file has more than the ${mostBytes} bytes that are allowed`,
    help: 'download it yourself and give its path',
  });

/** What a host announces about a file. */
export interface ExpectedContent {
  readonly size: number;
  /** `git`: a blob's name, sha1 of `blob <size>\0` and the bytes. */
  readonly hash: { readonly kind: 'sha256' | 'git'; readonly hex: string } | undefined;
}

/** The kind of hash that the content is compared by; it is updated with the bytes. */
function hashFor(expected: ExpectedContent | undefined): Hash {
  if (expected?.hash?.kind !== 'git') return createHash('sha256');
  return createHash('sha1').update(`blob ${expected.size}\0`);
}

export const isExpected = (
  expected: ExpectedContent | undefined,
  { size, hex }: { readonly size: number; readonly hex: string },
): boolean =>
  expected === undefined ||
  (expected.size === size && (expected.hash === undefined || expected.hash.hex === hex));
