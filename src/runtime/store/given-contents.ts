import { constants, existsSync, lstatSync, readlinkSync } from 'node:fs';
import { copyFile, mkdir, rm, stat, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Digest, isFolderDigest } from '../key/digest.ts';
import { contentState } from './content-state.ts';
import { blobFile } from './find-blob.ts';
import { materializeFolder, readManifest } from './folder-manifest.ts';
import { type FileIdentity, hashFile, isSameFile } from './hash-file.ts';
import type { Store } from './store.ts';

/** The most bytes that one stage is given as copies where the file system cannot share them. */
const mostBytesCopied = 64 << 20;

/** A content that a stage is given. */
interface GivenContent {
  /** What users call it: "its input `records`". */
  readonly name: string;
  readonly digest: Digest;
  /** Absolute; does not exist yet. */
  readonly destination: string;
}

/** Hands out the contents that one stage reads. */
export interface ContentGiver {
  /** The path at which a content can be read. */
  readonly give: (content: GivenContent) => Promise<string>;
  /** Makes a content readable at its destination. */
  readonly layOut: (content: GivenContent) => Promise<void>;
  /** The first content that is not what was given any more. */
  readonly changed: () => Promise<ChangedContent | undefined>;
  /** What has been given at each path. */
  readonly contents: ReadonlyMap<string, Digest>;
}

/** Names contents for a stage that reads them in another store: nothing lies at the paths that it gives. */
export class NamedContents implements ContentGiver {
  readonly contents = new Map<string, Digest>();

  readonly layOut = async ({ digest, destination }: GivenContent): Promise<void> => {
    this.contents.set(destination, digest);
  };

  readonly give = async (content: GivenContent): Promise<string> => {
    await this.layOut(content);
    return content.destination;
  };

  /** The other store checks its own bytes. */
  readonly changed = async (): Promise<undefined> => undefined;
}

/** Of a file that is laid out already: its bytes have to tell whether it has changed. */
const unknownIdentity: FileIdentity = { size: -1n, mtimeNs: 0n, ctimeNs: 0n, ino: 0n };

/** A file that was laid out for a program of the user's. */
interface LaidOutFile {
  readonly name: string;
  readonly path: string;
  readonly digest: Digest;
  /** Of a link. */
  readonly target?: string;
  /** Of a copy. */
  readonly stat?: FileIdentity;
}

/** Why a stage's result cannot be trusted. */
export interface ChangedContent {
  readonly name: string;
  /** `given`: what was laid out for the stage; `stored`: the store's own bytes. */
  readonly where: 'given' | 'stored';
}

/**
 * The contents of the store that one stage is given to read. What tuneloom's own code reads is a path in the store, or a
 * folder of links into it. A program of the user's gets copies, which share their bytes with the store where the file
 * system can do that; beyond 64 MiB of real copies it gets links to read-only files. Afterwards `changed` tells whether
 * everything is still as it was given.
 */
export class GivenContents implements ContentGiver {
  readonly contents = new Map<string, Digest>();
  readonly #store: Store;
  readonly #toUserCode: boolean;
  readonly #again: boolean;
  readonly #given: Pick<GivenContent, 'name' | 'digest'>[] = [];
  readonly #files: LaidOutFile[] = [];
  #mayShare = true;
  #bytesLeft = mostBytesCopied;

  /** `again`: an earlier process has laid them out at the same destinations; what is there stays. */
  constructor(
    store: Store,
    { toUserCode, again = false }: { readonly toUserCode: boolean; readonly again?: boolean },
  ) {
    this.#store = store;
    this.#toUserCode = toUserCode;
    this.#again = again;
  }

  /** The path at which a content can be read. */
  async give(content: GivenContent): Promise<string> {
    if (this.#toUserCode || isFolderDigest(content.digest)) {
      await this.layOut(content);
      return content.destination;
    }
    this.#given.push(content);
    const path = blobFile(this.#store, content.digest);
    this.contents.set(path, content.digest);
    return path;
  }

  /** Makes a content readable at its destination. */
  async layOut({ name, digest, destination }: GivenContent): Promise<void> {
    this.#given.push({ name, digest });
    this.contents.set(destination, digest);
    await mkdir(dirname(destination), { recursive: true });
    if (!isFolderDigest(digest)) return this.#layOutFile({ name, digest, path: destination });
    if (!this.#toUserCode && this.#again && existsSync(destination)) return;
    if (!this.#toUserCode) return materializeFolder(this.#store, { digest, destination });
    const files = readManifest(this.#store, digest).map((file) => ({
      ...file,
      at: join(destination, ...file.path.split('/')),
    }));
    for (const folder of new Set([destination, ...files.map(({ at }) => dirname(at))]))
      await mkdir(folder, { recursive: true });
    for (const file of files)
      await this.#layOutFile({
        name: `\`${file.path}\` of ${name}`,
        digest: file.digest,
        path: file.at,
      });
  }

  async #layOutFile(file: LaidOutFile): Promise<void> {
    const blob = blobFile(this.#store, file.digest);
    const before = this.#again ? lstatSync(file.path, { throwIfNoEntry: false }) : undefined;
    if (before !== undefined)
      return void this.#files.push(
        before.isSymbolicLink() ? { ...file, target: blob } : { ...file, stat: unknownIdentity },
      );
    if (this.#toUserCode && (await this.#copy(blob, file.path))) {
      this.#files.push({ ...file, stat: lstatSync(file.path, { bigint: true }) });
    } else {
      await symlink(blob, file.path);
      if (this.#toUserCode) this.#files.push({ ...file, target: blob });
    }
  }

  /** False, with nothing written, if a copy costs too much. */
  async #copy(blob: string, path: string): Promise<boolean> {
    if (this.#mayShare) {
      this.#mayShare = await copied(blob, path, constants.COPYFILE_FICLONE_FORCE);
      if (this.#mayShare) return true;
    }
    const { size } = await stat(blob);
    if (size > this.#bytesLeft || !(await copied(blob, path, constants.COPYFILE_EXCL))) return false;
    this.#bytesLeft -= size;
    return true;
  }

  /** The first content that is not what was given any more. */
  async changed(): Promise<ChangedContent | undefined> {
    for (const file of this.#files)
      if (!(await this.#isIntact(file))) return { name: file.name, where: 'given' };
    for (const { name, digest } of this.#given)
      if ((await contentState(this.#store, digest)) !== 'present') return { name, where: 'stored' };
    return undefined;
  }

  async #isIntact({ path, digest, target, stat }: LaidOutFile): Promise<boolean> {
    const present = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (stat === undefined) return present?.isSymbolicLink() === true && readlinkSync(path) === target;
    if (present?.isFile() !== true) return false;
    if (isSameFile(stat, present)) return true;
    const now = await hashFile(path).catch(() => undefined);
    return now?.digest === digest;
  }
}

async function copied(from: string, to: string, mode: number): Promise<boolean> {
  try {
    // With the blob's mode: read-only.
    await copyFile(from, to, mode);
    return true;
  } catch {
    await rm(to, { force: true });
    return false;
  }
}
