import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError } from '../../core/index.ts';
import type { FetchRequest, SourceFetcher, SourceRequest } from '../../runtime/index.ts';
import { downloadFile, hashOf, isExpected } from '../http/download-file.ts';
import { chooseFiles } from './choose-files.ts';
import { baseName, folderOf, type HubAddress, type HubFile, parseHubAddress } from './hub-address.ts';
import { cachedCommit, copyCached } from './hub-cache.ts';
import { fileUrl, resolveCommit } from './hub-client.ts';
import { hubError, offlineError } from './hub-error.ts';
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
  { address: text, signal, onWait }: SourceRequest,
  settings: HubSettings,
): Promise<string> {
  if (!settings.offline) return resolveCommit(address, { settings, signal, onWait });
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
  readonly repository: HubAddress;
  readonly commit: string;
  readonly settings: HubSettings;
}

/** A model's files other than weights are small. */
const mostDescriptionBytes = 256 * 2 ** 20;

/** Fetches what an address names at a commit: one file, or a folder of those that are needed. */
async function fetchRepository(
  repository: HubAddress,
  { settings, ...request }: FetchRequest & { readonly settings: HubSettings },
): Promise<string> {
  const { revision: commit, folder } = request;
  if (commit === undefined) throw new Error('A repository is fetched at a commit');
  const fetch = { ...request, repository, commit, settings };
  const content = join(folder, 'content');
  const target = (path: string, from = folderOf(path)): string =>
    join(content, path.slice(from === '' ? 0 : from.length + 1));
  const read = async (file: HubFile, place: string): Promise<string> => {
    await obtain(file, { fetch, target: place, report: () => {} });
    return readFile(place, 'utf8');
  };
  const {
    kind,
    folder: root,
    files,
  } = await chooseFiles(repository, {
    ...fetch,
    read: (file) => read(file, target(file.path)),
    peek: (file) => read(file, join(folder, 'peeked', baseName(file.path))),
  });
  const total = files.reduce((sum, file) => sum + file.content.size, 0);
  let before = 0;
  let isInspected = kind === 'file';
  for (const file of files) {
    if (!isInspected && isWeights(file)) {
      await request.inspect(content);
      isInspected = true;
    }
    const report = (done: number): void => request.report({ done: before + done, total });
    await obtain(file, { fetch, target: target(file.path, root), report });
    before += file.content.size;
    report(0);
  }
  const [only] = files;
  return kind === 'file' && only !== undefined ? target(only.path, root) : content;
}

/** Takes a file from an interrupted earlier download, from the cache of Hugging Face's tools, or from the hub. */
async function obtain(
  file: HubFile,
  {
    fetch,
    target,
    report,
  }: {
    readonly fetch: RepositoryFetch;
    readonly target: string;
    readonly report: (done: number) => void;
  },
): Promise<void> {
  const { repository, settings, commit, signal } = fetch;
  if (await isThere(file, target)) return;
  await mkdir(dirname(target), { recursive: true });
  if (await copyCached(repository, { settings, commit, wanted: file, target })) {
    if (await isThere(file, target)) return;
    // The cache belongs to other tools, and its files may be damaged.
    await rm(target, { force: true });
  }
  if (settings.offline) throw offlineError(fetch.address);
  const isDescription = repository.type === 'model' && !isWeights(file);
  const mostBytes = isDescription ? mostDescriptionBytes : Number.MAX_SAFE_INTEGER;
  if (file.content.size > mostBytes) throw tooLarge(file);
  await downloadFile({
    url: fileUrl(repository, { endpoint: settings.endpoint, commit, path: file.path }),
    credential: settings.credential,
    path: target,
    expected: file.content,
    mostBytes,
    signal,
    onWait: fetch.onWait,
    report: ({ done }) => report(done),
  });
}

const isWeights = ({ path }: HubFile): boolean => /\.(safetensors|gguf|parquet)$/i.test(path);

async function isThere({ content }: HubFile, path: string): Promise<boolean> {
  const size = await stat(path).then(
    (found) => found.size,
    () => undefined,
  );
  if (size !== content.size) return false;
  return isExpected(content, { size, hex: (await hashOf(path, content)).digest('hex') });
}

const tooLarge = ({ path, content }: HubFile): UserError =>
  new UserError({
    code: 'source-too-large',
    message: `${path} has ${content.size} bytes, more than the ${mostDescriptionBytes} that are allowed for such a file`,
  });
