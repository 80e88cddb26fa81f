import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { UserError } from '../../core/index.ts';
import type { FetchRequest, SourceFetcher, SourceRequest } from '../../runtime/index.ts';
import { downloadFile, hashFor, isExpected } from '../http/download-file.ts';
import { type ChosenFiles, chooseFiles } from './choose-files.ts';
import { baseName, type HubAddress, type HubFile, parseHubAddress } from './hub-address.ts';
import { cachedCommit, copyCached } from './hub-cache.ts';
import { fileUrl, hubError, offlineError, resolveCommit } from './hub-client.ts';
import { type Environment, type HubSettings, hubSettings } from './hub-settings.ts';

/** Fetches models and datasets from the Hugging Face hub; a revision is a commit. */
export function hubFetcher(environment: Environment): SourceFetcher {
  const settings = hubSettings(environment);
  return {
    resolve: (request) =>
      explainingErrors(request, { settings, act: (address) => commitOf(address, request, settings) }),
    fetch: (request: FetchRequest) =>
      explainingErrors(request, {
        settings,
        act: (address) => fetchRepository(address, { ...request, settings }),
      }),
  };
}

async function commitOf(
  address: HubAddress,
  { address: text, signal }: SourceRequest,
  settings: HubSettings,
): Promise<string> {
  if (!settings.offline) return resolveCommit(address, { settings, signal });
  const commit = await cachedCommit(address, settings);
  if (commit === undefined) throw offlineError(text);
  return commit;
}

async function explainingErrors<Value>(
  request: SourceRequest,
  {
    settings,
    act,
  }: { readonly settings: HubSettings; readonly act: (address: HubAddress) => Promise<Value> },
): Promise<Value> {
  const text = request.address;
  const address = parseHubAddress(text);
  if (address === undefined) throw new Error(`${text} was not checked`);
  try {
    return await act(address);
  } catch (error) {
    throw request.signal.aborted ? error : hubError(error, { text, address, settings });
  }
}

interface RepositoryFetch extends FetchRequest {
  readonly settings: HubSettings;
}

/** A model's files other than weights are small. */
const mostDescriptionBytes = 256 * 2 ** 20;

/** Fetches what an address names at a commit: one file, or a folder of those that are needed. */
async function fetchRepository(address: HubAddress, fetch: RepositoryFetch): Promise<string> {
  const { revision: commit, folder } = fetch;
  if (commit === undefined) throw new Error('A repository is fetched at a commit');
  const content = join(folder, 'content');
  const target = ({ path }: HubFile): string => join(content, baseName(path));
  const chosen = await chooseFiles(address, {
    ...fetch,
    commit,
    read: async (file) => {
      await obtain(file, { address, fetch, commit, target: target(file), report: () => {} });
      return readFile(target(file), 'utf8');
    },
  });
  await obtainAll(chosen, { address, fetch, commit, target });
  const [only] = chosen.files;
  return chosen.kind === 'file' && only !== undefined ? target(only) : content;
}

interface Obtaining {
  readonly address: HubAddress;
  readonly fetch: RepositoryFetch;
  readonly commit: string;
}

async function obtainAll(
  { files }: ChosenFiles,
  { target, ...obtaining }: Obtaining & { readonly target: (file: HubFile) => string },
): Promise<void> {
  const total = files.reduce((sum, { content }) => sum + content.size, 0);
  let before = 0;
  for (const file of files) {
    const report = (done: number): void => obtaining.fetch.report({ done: before + done, total });
    await obtain(file, { ...obtaining, target: target(file), report });
    before += file.content.size;
    report(0);
  }
}

/** Takes a file from an interrupted earlier download, from the cache of Hugging Face's tools, or from the hub. */
async function obtain(
  file: HubFile,
  obtaining: Obtaining & { readonly target: string; readonly report: (done: number) => void },
): Promise<void> {
  const { address, fetch, commit, target, report } = obtaining;
  const { settings, signal } = fetch;
  if (await isThere(file, target)) return;
  await mkdir(dirname(target), { recursive: true });
  if (await copyCached(address, { settings, commit, wanted: file, target })) {
    if (await isThere(file, target)) return;
    // The cache belongs to other tools, and its files may be damaged.
    await rm(target, { force: true });
  }
  if (settings.offline) throw offlineError(fetch.address);
  const isDescription = address.type === 'model' && !/\.(safetensors|gguf|parquet)$/i.test(file.path);
  const mostBytes = isDescription ? mostDescriptionBytes : Number.MAX_SAFE_INTEGER;
  if (file.content.size > mostBytes) throw tooLarge(file);
  await downloadFile({
    url: fileUrl(address, { endpoint: settings.endpoint, commit, path: file.path }),
    credential: settings.credential,
    path: target,
    expected: file.content,
    mostBytes,
    signal,
    report: ({ done }) => report(done),
  });
}

async function isThere({ content }: HubFile, path: string): Promise<boolean> {
  const size = await stat(path).then(
    (found) => found.size,
    () => undefined,
  );
  if (size !== content.size) return false;
  const hash = content.hash === undefined ? createHash('sha256') : hashFor(content);
  await pipeline(createReadStream(path), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) hash.update(chunk);
  });
  return isExpected(content, { size, hex: hash.digest('hex') });
}

const tooLarge = ({ path, content }: HubFile): UserError =>
  new UserError({
    code: 'source-too-large',
    message: `${path} has ${content.size} bytes, more than the ${mostDescriptionBytes} that are allowed for such a file`,
  });
