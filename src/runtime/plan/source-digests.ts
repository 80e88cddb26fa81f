import { type BigIntStats, existsSync, realpathSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { DagNode, SourceField } from '../graph/dag.ts';
import type { SourceDigests } from '../key/key-material.ts';
import { err, ok, type Result } from '../result.ts';
import type { Digest } from '../store/digest.ts';
import { type FolderFile, manifestOf } from '../store/folder-manifest.ts';
import { hashFile } from '../store/hash-file.ts';
import { listFiles } from '../store/list-files.ts';
import type { Resolutions } from '../store/resolution.ts';
import type { StatCache } from '../store/stat-cache.ts';
import type { Store } from '../store/store.ts';

/**
 * The digests of everything outside the store that the stages read; a diagnostic for each that cannot be read. A remote
 * source whose resolution is not known has none.
 */
export async function digestSources(
  nodes: Iterable<DagNode>,
  { store: { root, statCache }, resolutions }: { readonly store: Store; readonly resolutions: Resolutions },
): Promise<Result<SourceDigests, readonly Diagnostic[]>> {
  const digests = new Map<string, Digest>();
  const problems: Diagnostic[] = [];
  for (const field of new Map(
    [...nodes].flatMap(({ sources }) => sources.map((each) => [each.path, each])),
  ).values()) {
    try {
      if (field.resolver !== undefined) {
        const known = resolutions.get(field.path);
        if (known !== undefined) digests.set(field.path, known.digest);
      } else if (contains(field.path, root)) problems.push(holdsStore(field, root));
      else digests.set(field.path, await digestPath(field.path, statCache));
    } catch (error) {
      problems.push(unreadable(field, error));
    }
  }
  return problems.length === 0 ? ok(digests) : err(problems);
}

/** The digest of a file or a folder outside the store. Without a cache every byte is read. */
export async function digestPath(path: string, statCache?: StatCache): Promise<Digest> {
  const found = await stat(path);
  if (found.isFile()) return (await digestFile(path, statCache)).digest;
  // Reading from anything else could go on for ever.
  if (!found.isDirectory()) throw new Error(`${path} is neither a file nor a folder`);
  const files: FolderFile[] = [];
  for (const inside of await listFiles(path, { links: 'inside' })) {
    const { digest, stat } = await digestFile(join(path, inside), statCache);
    files.push({ path: inside, digest, size: Number(stat.size) });
  }
  return manifestOf(files).digest;
}

async function digestFile(
  path: string,
  statCache: StatCache | undefined,
): Promise<{ digest: Digest; stat: BigIntStats }> {
  const seen = statSync(path, { bigint: true });
  const digest = statCache?.find(path, seen);
  if (digest !== undefined) return { digest, stat: seen };
  const hashed = await hashFile(path);
  if (isSettled(hashed.stat)) statCache?.remember(path, hashed);
  return hashed;
}

/**
 * Whether any later write must give the file another time. File systems step their clocks by up to 10 ms, some by 2 s;
 * a file written within the present step could change again and look the same.
 */
function isSettled(stat: BigIntStats): boolean {
  const second = 1_000_000_000n;
  const step = stat.mtimeNs % second === 0n ? 2n * second : second / 50n;
  const now = BigInt(Date.now()) * 1_000_000n;
  return now - stat.mtimeNs > step && now - stat.ctimeNs > step;
}

/** Whether the store stands in a source, links followed; a store that does not exist yet stands where it will be made. */
function contains(source: string, store: string): boolean {
  const inside = relative(realpathSync(source), realPathOf(store));
  return inside.split(sep)[0] !== '..' && !isAbsolute(inside);
}

const realPathOf = (path: string): string =>
  existsSync(path) || dirname(path) === path
    ? realpathSync(path)
    : join(realPathOf(dirname(path)), basename(path));

const holdsStore = ({ path, span }: SourceField, store: string): Diagnostic => ({
  code: 'source-holds-store',
  message: `\`${path}\` holds the store \`${store}\`, so every run would change it`,
  span,
  help: 'name the folder or the files that hold the data alone, or put the store elsewhere with --store',
});

function unreadable(field: SourceField, error: unknown): Diagnostic {
  const why = error instanceof Error ? error.message : String(error);
  return { code: 'unreadable-source', message: `\`${field.path}\` cannot be read: ${why}`, span: field.span };
}
