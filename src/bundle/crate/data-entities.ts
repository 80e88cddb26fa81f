import { extname, relative, sep } from 'node:path';
import { type Digest, isFolderDigest } from '../../runtime/index.ts';
import type { BundleContents, BundledOutput, BundledRun } from '../contents.ts';
import type { MeasuredMember } from '../write-archive.ts';
import { type Entity, localId, memberId, refs } from './entity.ts';

/** What the manifest says of the files in a bundle, and of contents that it knows by their digests only. */
export interface DataEntities {
  readonly entities: readonly Entity[];
  /** The identifiers that the root lists as its parts. */
  readonly parts: readonly string[];
  /** The identifiers of an output, or of one part of it. */
  readonly ofOutput: (stage: string, output: string, part?: string) => readonly string[];
  /** The identifier of a source by its path or address. */
  readonly ofSource: (path: string) => string;
}

/** Describes every member, a folder for each output or source that is one, and what is not in the bundle. */
export function dataEntities(
  bundled: BundledRun,
  { contents, members }: { readonly contents: BundleContents; readonly members: readonly MeasuredMember[] },
): DataEntities {
  const folders = foldersOf(bundled, contents);
  const inFolder = (path: string): string | undefined =>
    folders.find(({ path: at }) => path.startsWith(at))?.path;
  const files = members.map((member) => fileEntity(bundled, member));
  const datasets = folders.map(({ path, name }): Entity => {
    const inside = members.filter((member) => inFolder(member.path) === path);
    return {
      '@id': memberId(path),
      '@type': 'Dataset',
      name,
      hasPart: refs(inside.map((member) => memberId(member.path))),
    };
  });
  const loose = members.filter(({ path }) => inFolder(path) === undefined);
  const absentOutputs = contents.outputs.filter(({ path }) => path === undefined).map(absentOutput);
  const sources = new Map(
    [...bundled.sources].map(([path, digest]) => [
      path,
      sourceId(bundled, { path, contents, members, digest }),
    ]),
  );
  const absentSources = [...sources].flatMap(([path, id]) =>
    id.startsWith('#') ? [absentSource({ id, path, digest: bundled.sources.get(path), bundled })] : [],
  );
  return {
    entities: [...files, ...datasets, ...absentOutputs, ...absentSources],
    parts: [...datasets.map((each) => each['@id']), ...loose.map(({ path }) => memberId(path))],
    ofOutput: (stage, output, part) =>
      contents.outputs
        .filter(
          (each) =>
            each.stage === stage && each.output === output && (part === undefined || each.part === part),
        )
        .map(outputId),
    ofSource: (path) => sources.get(path) ?? localId('source', path),
  };
}

interface Folder {
  /** With a `/` at its end. */
  readonly path: string;
  readonly name: string;
}

function foldersOf(
  { dag, sources }: BundledRun,
  { root, outputs, members }: BundleContents,
): readonly Folder[] {
  const ofOutputs = outputs.flatMap((output) =>
    output.path?.endsWith('/') ? [{ path: output.path, name: nameOf(output) }] : [],
  );
  const ofSources = [...sources].flatMap(([path, digest]) => {
    const inside = `${relative(root, path).split(sep).join('/')}/`;
    const isHere = isFolderDigest(digest) && members.some((member) => member.path.startsWith(inside));
    return isHere ? [{ path: inside, name: `Source ${inside} of ${dag.name}` }] : [];
  });
  // A source may lie within another; the inner one is listed first, so that it has its own files.
  return [...ofOutputs, ...ofSources].sort((a, b) => b.path.length - a.path.length);
}

const nameOf = ({ stage, output, part }: BundledOutput): string =>
  [stage, output, ...(part === undefined ? [] : [part])].join('.');

const outputId = (output: BundledOutput): string =>
  output.path === undefined ? localId('output', nameOf(output)) : memberId(output.path);

const absentOutput = (output: BundledOutput): Entity => ({
  '@id': outputId(output),
  '@type': 'CreativeWork',
  name: nameOf(output),
  description: 'The bundle holds only the digest of this result.',
  identifier: output.digest,
});

function sourceId(
  { dag }: BundledRun,
  {
    path,
    contents,
    members,
    digest,
  }: {
    readonly path: string;
    readonly contents: BundleContents;
    readonly members: readonly MeasuredMember[];
    readonly digest: Digest;
  },
): string {
  const isRemote = [...dag.nodes.values()].some(({ sources }) =>
    sources.some((field) => field.path === path && field.resolver !== undefined),
  );
  if (isRemote) return localId('source', path);
  const inside = relative(contents.root, path).split(sep).join('/');
  const member = isFolderDigest(digest) ? `${inside}/` : inside;
  const isHere = members.some(
    (each) => each.path === member || (member.endsWith('/') && each.path.startsWith(member)),
  );
  // The name of a folder outside of the bundle is private.
  return isHere ? memberId(member) : localId('source', inside.startsWith('../') ? digest : inside);
}

function absentSource({
  id,
  path,
  digest,
  bundled,
}: {
  readonly id: string;
  readonly path: string;
  readonly digest: Digest | undefined;
  readonly bundled: BundledRun;
}): Entity {
  const isRemote = [...bundled.dag.nodes.values()].some(({ sources }) =>
    sources.some((field) => field.path === path && field.resolver !== undefined),
  );
  return {
    '@id': id,
    '@type': 'CreativeWork',
    name: isRemote ? path : decodeURIComponent(id.slice('#source/'.length)),
    description: 'The bundle holds only the digest of this source.',
    ...(digest !== undefined && { identifier: digest }),
  };
}

const formats: Readonly<Record<string, string>> = {
  '.json': 'application/json',
  '.jsonl': 'application/jsonl',
  '.yaml': 'application/yaml',
  '.yml': 'application/yaml',
  '.csv': 'text/csv',
  '.tsv': 'text/tab-separated-values',
  '.txt': 'text/plain',
  '.ts': 'text/x-typescript',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.py': 'text/x-python',
  '.parquet': 'application/vnd.apache.parquet',
};

function fileEntity({ dag }: BundledRun, { path, sha256, size }: MeasuredMember): Entity {
  return {
    '@id': memberId(path),
    '@type': 'File',
    name: path,
    description: `A file of the bundle of ${dag.name}.`,
    encodingFormat: formats[extname(path)] ?? 'application/octet-stream',
    contentSize: String(size),
    sha256,
  };
}
