import { existsSync, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { execa } from 'execa';
import { type OpenedBundle, openBundle } from '../../bundle/index.ts';
import { newTemporaryFolder, UserError } from '../../core/index.ts';
import { sourceResolvers } from '../../remote/index.ts';
import { schemeOf } from '../../runtime/index.ts';
import type { CommandContext } from '../commands/command-declaration.ts';
import { UsageError } from '../exit-code.ts';
import { canAsk } from '../terminal/terminal.ts';

/** What a definition is fetched from. */
export type Origin =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'download'; readonly address: string; readonly scheme: string }
  | { readonly kind: 'git'; readonly address: string; readonly revision: string | undefined };

/** Tells a bundle from an address. Throws a UsageError for anything else. */
export function originOf(text: string, { workingDirectory }: CommandContext): Origin {
  const git = gitAddress(text);
  if (git !== undefined) return git;
  const scheme = schemeOf(text) ?? /^(hf):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    const path = resolve(workingDirectory, text);
    if (existsSync(path) && lstatSync(path).isFile()) return { kind: 'file', path };
    throw new UsageError({
      message: existsSync(path)
        ? `\`${text}\` is a folder, which needs no opening`
        : `there is no file \`${text}\``,
      help: 'name a bundle, a git address, or the hf: or https: address of a bundle',
    });
  }
  if (scheme === 'hf' || scheme === 'https' || scheme === 'http')
    return { kind: 'download', address: text, scheme };
  throw new UsageError({
    message: `\`${scheme}:\` is no kind of address that can be opened`,
    help: 'a repository is git+https://..., ssh://... or https://....git; a bundle is a file, https: or hf:',
  });
}

const gitHosts = /^https:\/\/(github\.com|gitlab\.com|codeberg\.org)\/[^/]+\/[^/#]+\/?(#.*)?$/i;

function gitAddress(text: string): Origin | undefined {
  const isGit =
    /^git\+(https|ssh|file):\/\//i.test(text) ||
    /^(git|ssh):\/\//i.test(text) ||
    /^[\w.-]+@[\w.-]+:[^:]/.test(text) ||
    /^(https|file):\/\/[^#]*\.git(#.*)?$/i.test(text) ||
    gitHosts.test(text);
  if (!isGit) return undefined;
  const [address = '', revision] = text.replace(/^git\+/i, '').split('#');
  return { kind: 'git', address, revision: revision || undefined };
}

/** The name of the folder to open into: that of the bundle or of the repository. */
export function folderName(origin: Origin): string {
  const text = origin.kind === 'file' ? origin.path : origin.address;
  const name = basename(text.split(/[?#]/)[0] ?? '').replace(/^.*[:/]/, '');
  return (
    name
      .replace(/\.(zip|git)$/i, '')
      .replaceAll(/[^\w.-]/g, '-')
      .replace(/^[.-]+/, '') || 'bundle'
  );
}

/** Fills an empty folder with a definition; a bundle tells what it holds. */
export async function fetchDefinition(
  origin: Origin,
  {
    folder,
    signal,
    context,
  }: { readonly folder: string; readonly signal: AbortSignal; readonly context: CommandContext },
): Promise<OpenedBundle | undefined> {
  switch (origin.kind) {
    case 'file':
      return openBundle(origin.path, { folder, signal });
    case 'download': {
      await using downloaded = await download(origin, { signal, context });
      return await openBundle(downloaded.path, { folder, signal });
    }
    case 'git':
      await clone(origin, { folder, signal, context });
      return undefined;
    default:
      return origin satisfies never;
  }
}

async function download(
  { address, scheme }: Extract<Origin, { kind: 'download' }>,
  { signal, context }: { readonly signal: AbortSignal; readonly context: CommandContext },
): Promise<AsyncDisposable & { readonly path: string }> {
  const resolver = sourceResolvers(context.environment).get(scheme);
  const problem = resolver?.check(address);
  if (resolver === undefined || problem !== undefined)
    throw new UsageError({
      message: problem?.message ?? `\`${address}\` cannot be fetched`,
      help: problem?.help,
    });
  const held = await newTemporaryFolder('tuneloom-open-');
  const release = () => rm(held, { recursive: true, force: true });
  try {
    const fetcher = await resolver.load();
    const revision = await fetcher.resolve({ address, signal });
    const path = await fetcher.fetch({
      address,
      revision,
      folder: held,
      signal,
      report: () => {},
      inspect: async () => {},
    });
    if (!lstatSync(path).isFile())
      throw new UsageError({
        message: `\`${address}\` is a folder, and a bundle is one file`,
        help: 'name the archive, as in hf:datasets/owner/name:paper.zip',
      });
    return { path, [Symbol.asyncDispose]: release };
  } catch (error) {
    await release();
    throw error;
  }
}

/** Protocols that run no program of the address's choice. */
const protocols = 'https:ssh:git:file';

/** Clones a repository without its submodules, and refuses links that lead out of it. */
async function clone(
  { address, revision }: Extract<Origin, { kind: 'git' }>,
  {
    folder,
    signal,
    context,
  }: { readonly folder: string; readonly signal: AbortSignal; readonly context: CommandContext },
): Promise<void> {
  if (revision?.startsWith('-') || address.startsWith('-'))
    throw new UsageError({ message: 'a git address or revision does not begin with `-`' });
  const env = {
    ...context.environment,
    GIT_ALLOW_PROTOCOL: protocols,
    ...(canAsk() ? {} : { GIT_TERMINAL_PROMPT: '0' }),
  };
  const git = async (...words: readonly string[]) => {
    try {
      await execa('git', words, { env, extendEnv: false, cancelSignal: signal, stdin: 'inherit' });
    } catch (error) {
      signal.throwIfAborted();
      throw gitError(error, address);
    }
  };
  // A remote that was added, not cloned, can fetch any revision: a commit as well as a branch or a tag.
  await git('init', '--quiet', '--template=', folder);
  await git('-C', folder, 'fetch', '--quiet', '--depth=1', '--no-tags', '--', address, revision ?? 'HEAD');
  await git('-C', folder, 'checkout', '--quiet', '--detach', 'FETCH_HEAD');
  refuseEscapes(folder, folder);
}

function gitError(error: unknown, address: string): UserError {
  const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
  const last = text
    .trim()
    .split('\n')
    .findLast((line) => line.trim() !== '');
  const message = isAbsent
    ? 'git is not installed'
    : `git cannot fetch \`${address}\`: ${last ?? String(error)}`;
  return new UserError({
    code: 'not-fetched',
    message,
    help: isAbsent ? 'install git, or download a bundle' : 'check the address and your access to it',
    cause: error,
  });
}

function refuseEscapes(folder: string, root: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (folder === root && entry.name === '.git') continue;
    if (entry.isSymbolicLink()) {
      const target = resolve(dirname(path), readlinkSync(path));
      if (relative(root, target).split('/')[0] !== '..') continue;
      throw new UserError({
        code: 'unsafe-repository',
        message: `\`${relative(root, path)}\` is a link that leads out of the repository; nothing was opened`,
        help: 'clone it with git if you trust it',
      });
    }
    if (entry.isDirectory()) refuseEscapes(path, root);
  }
}

/** An empty folder beside the destination, so that the last step is one rename. */
export async function stagingFolder(destination: string): Promise<string> {
  await mkdir(dirname(destination), { recursive: true });
  return mkdtemp(join(dirname(destination), `.${basename(destination)}-`));
}
