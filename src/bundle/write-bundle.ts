import { type BundledRun, bundleContents } from './contents.ts';
import { crateFile, crateOf, type Publication } from './crate/crate.ts';
import { measureMembers, writeArchive } from './write-archive.ts';

/** What a bundle holds, for people and programs. */
export interface WrittenBundle {
  readonly files: number;
  readonly bytes: number;
  /** The outputs whose bytes are in it, and those that it knows by their digests only. */
  readonly outputs: { readonly held: number; readonly named: number };
}

/** Writes a finished run as one archive with an RO-Crate manifest. Throws a UserError for what cannot travel. */
export async function writeBundle(
  path: string,
  bundled: BundledRun,
  {
    publication,
    onProgress,
  }: {
    readonly publication: Publication;
    readonly onProgress: (progress: { readonly done: number; readonly total: number }) => void;
  },
): Promise<WrittenBundle> {
  const contents = await bundleContents(bundled);
  const listed = await measureMembers(contents.members);
  const crate = crateOf(bundled, { contents, members: listed, publication });
  const text = `${JSON.stringify(crate, null, 1)}\n`;
  const [manifest] = await measureMembers([{ path: crateFile, content: { text }, executable: false }]);
  // The manifest comes first: a reader of the archive knows what to expect.
  const members = [...(manifest === undefined ? [] : [manifest]), ...listed];
  const total = members.reduce((sum, { size }) => sum + size, 0);
  await writeArchive(path, { members, onProgress: (done) => onProgress({ done, total }) });
  const held = contents.outputs.filter((output) => output.path !== undefined).length;
  return { files: members.length, bytes: total, outputs: { held, named: contents.outputs.length - held } };
}
