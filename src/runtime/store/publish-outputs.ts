import { existsSync, lstatSync, readlinkSync } from 'node:fs';
import { mkdir, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { type Digest, isFolderDigest, type PortContent } from '../key/digest.ts';
import { blobFile } from './find-blob.ts';
import { readManifest } from './folder-manifest.ts';
import type { Store } from './store.ts';
import { blobPath, outputsPath, pathSegment } from './store-layout.ts';
import { hasErrorCode, storageFailureOf } from './system-error.ts';
import { makeTemporaryFolder } from './temporary.ts';

/**
 * Shows a stage's outputs at `outputs/<pipeline>/<stage>/<output>[/<part>]`, as links to read-only blobs. Nothing depends
 * on this view, so an error in making it is no failure.
 */
export async function publishOutputs(
  store: Store,
  stage: {
    readonly pipeline: string;
    readonly stage: string;
    readonly outputs: Readonly<Record<string, PortContent>>;
  },
): Promise<void> {
  const view = outputsPath(stage.pipeline, stage.stage);
  try {
    const { links, absent } = linksOf(store, { view, outputs: stage.outputs });
    const isStale = absent.some((path) => existsSync(join(store.root, path)));
    if (isStale || !isShown(store, links)) await show(store, { view, links });
  } catch (error) {
    const raced = hasErrorCode(error, 'ENOENT', 'EEXIST', 'ENOTEMPTY', 'EISDIR');
    if (!raced && storageFailureOf(error) === undefined) throw error;
  }
}

interface Link {
  /** From the store's root. */
  readonly path: string;
  readonly digest: Digest;
}

/** The view's links. A content that is not here, since only a remote has it, has none: its path is among `absent`. */
function linksOf(
  store: Store,
  { view, outputs }: { readonly view: string; readonly outputs: Readonly<Record<string, PortContent>> },
): { readonly links: readonly Link[]; readonly absent: readonly string[] } {
  const contents = Object.entries(outputs).flatMap(([port, content]): readonly Link[] => {
    const path = join(view, pathSegment(port));
    if (typeof content === 'string') return [{ path, digest: content }];
    return Object.entries(content.parts).map(([part, digest]) => ({
      path: join(path, pathSegment(part)),
      digest,
    }));
  });
  const here = contents.filter(({ digest }) => existsSync(blobFile(store, digest)));
  return {
    links: here.flatMap((content) => contentLinks(store, content)),
    absent: contents.filter((content) => !here.includes(content)).map(({ path }) => path),
  };
}

const contentLinks = (store: Store, { path, digest }: Link): readonly Link[] =>
  isFolderDigest(digest)
    ? readManifest(store, digest).map((file) => ({
        path: join(path, ...file.path.split('/')),
        digest: file.digest,
      }))
    : [{ path, digest }];

// Checked for every stage of every run, so that a run with nothing to do writes nothing.
const isShown = (store: Store, links: readonly Link[]): boolean =>
  links.every((link) => {
    const { path } = link;
    const stat = lstatSync(join(store.root, path), { throwIfNoEntry: false });
    return stat?.isSymbolicLink() === true && readlinkSync(join(store.root, path)) === targetOf(store, link);
  });

/** Relative, so that a store can be moved; into a store below it absolute. */
function targetOf(store: Store, { path, digest }: Link): string {
  const blob = blobFile(store, digest);
  const own = join(store.root, blobPath(digest));
  return blob === own ? relative(dirname(path), blobPath(digest)) : blob;
}

async function show(
  store: Store,
  { view, links }: { readonly view: string; readonly links: readonly Link[] },
): Promise<void> {
  const prepared = await makeTemporaryFolder(store.root);
  try {
    for (const link of links) {
      const place = join(prepared, relative(view, link.path));
      await mkdir(dirname(place), { recursive: true });
      await symlink(targetOf(store, link), place);
    }
    const shown = join(store.root, view);
    await mkdir(dirname(shown), { recursive: true });
    await rm(shown, { recursive: true, force: true });
    await rename(prepared, shown);
  } catch (error) {
    await rm(prepared, { recursive: true, force: true });
    throw error;
  }
}
