import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject, UserError } from '../core/index.ts';
import { crateFile } from './crate/crate.ts';
import { memberPath } from './crate/entity.ts';
import type { UnpackedMember } from './read-archive.ts';

/** What the manifest of an unpacked bundle says. */
export interface ReadCrate {
  /** The path of the pipeline from the bundle's root. */
  readonly pipeline: string;
  readonly name: string;
  /** As it is stated: a text or an address. */
  readonly license: string | undefined;
}

const mostBytes = 256 * 2 ** 20;

/**
 * Reads the manifest of an unpacked bundle and holds every file to it. Throws a UserError if the manifest is missing, or if
 * a file is absent, has other bytes or is not listed.
 */
export async function readCrate(folder: string, members: readonly UnpackedMember[]): Promise<ReadCrate> {
  if (!members.some(({ path }) => path === crateFile))
    throw problem(`it has no ${crateFile}, so it is no bundle`, 'a bundle is what `tuneloom bundle` writes');
  const entities = await readGraph(join(folder, crateFile));
  checkMembers(entities, members);
  const root = entities.get('./');
  const main = reference(root?.mainEntity);
  const pipeline = main === undefined ? undefined : memberPath(main);
  if (pipeline === undefined || !members.some(({ path }) => path === pipeline))
    throw problem(`${crateFile} names no pipeline as its main entity`);
  const { name, license } = root ?? {};
  return {
    pipeline,
    name: typeof name === 'string' ? name : pipeline,
    license: typeof license === 'string' ? license : reference(license),
  };
}

type Entities = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

async function readGraph(path: string): Promise<Entities> {
  const { size } = await stat(path);
  if (size > mostBytes) throw problem(`${crateFile} has ${size} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw problem(`${crateFile} is not JSON`);
  }
  const graph = isObject(value) ? value['@graph'] : undefined;
  if (!Array.isArray(graph)) throw problem(`${crateFile} has no list \`@graph\``);
  const entities = new Map<string, Readonly<Record<string, unknown>>>();
  for (const entity of graph) {
    const id = isObject(entity) ? entity['@id'] : undefined;
    if (!isObject(entity) || typeof id !== 'string' || entities.has(id))
      throw problem(`${crateFile} describes something without an \`@id\`, or twice`);
    entities.set(id, entity);
  }
  return entities;
}

function checkMembers(entities: Entities, members: readonly UnpackedMember[]): void {
  const present = new Map(members.map((member) => [member.path, member]));
  const listed = new Set([crateFile]);
  for (const [id, entity] of entities) {
    if (![entity['@type']].flat().includes('File')) continue;
    const path = memberPath(id) ?? id;
    const member = present.get(path);
    if (member === undefined) throw problem(`\`${path}\` is listed and absent`);
    if (entity.sha256 !== member.sha256 || entity.contentSize !== String(member.size))
      throw problem(`\`${path}\` is not the file that ${crateFile} lists`);
    listed.add(path);
  }
  const stranger = members.find(({ path }) => !listed.has(path));
  if (stranger !== undefined) throw problem(`\`${stranger.path}\` is not listed in ${crateFile}`);
}

const reference = (value: unknown): string | undefined =>
  isObject(value) && typeof value['@id'] === 'string' ? value['@id'] : undefined;

const problem = (message: string, help = 'fetch it again, or ask whoever made it'): UserError =>
  new UserError({ code: 'damaged-bundle', message: `the bundle cannot be opened: ${message}`, help });
