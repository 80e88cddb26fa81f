import { readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { canonicalJson, isObject } from '../../core/index.ts';
import type { Dag, DagNode } from '../graph/dag.ts';
import { sha256 } from '../key/digest.ts';
import { keyMaterialOf, type SourceDigests } from '../key/key-material.ts';
import { parseSealed, sealJson } from '../store/sealed-json.ts';

/** A folder whose definition comes from elsewhere, so that its code needs an approval before it runs. */
export interface Received {
  /** Absolute. */
  readonly folder: string;
  /** Where it comes from, as the user named it. */
  readonly from: string;
  /** The hashes of what the user has approved: an edit of the code needs a new approval. */
  readonly approved: ReadonlySet<string>;
}

/** From the folder's root. */
const receivedFile = join('.tuneloom', 'received.json');

/**
 * The received folder that a folder is in; undefined for what the user has made. Of several the outermost counts: what
 * was received may have a mark of its own making inside.
 */
export function receivedAt(path: string): Received | undefined {
  const above = dirname(path);
  return (above === path ? undefined : receivedAt(above)) ?? readReceived(path);
}

function readReceived(folder: string): Received | undefined {
  let text: string;
  try {
    text = readFileSync(join(folder, receivedFile), 'utf8');
  } catch {
    return undefined;
  }
  // A mark that cannot be read approves nothing.
  const unreadable = { folder, from: 'elsewhere', approved: new Set<string>() };
  try {
    const value = parseSealed(text);
    const { from, approved } = isObject(value) ? value : {};
    if (typeof from !== 'string' || !Array.isArray(approved)) return unreadable;
    return { folder, from, approved: new Set(approved.filter((each) => typeof each === 'string')) };
  } catch (error) {
    if (error instanceof SyntaxError) return unreadable;
    throw error;
  }
}

/** Marks a folder as received; nothing of it is approved. */
export async function markReceived(folder: string, { from }: { readonly from: string }): Promise<void> {
  await mkdir(join(folder, dirname(receivedFile)), { recursive: true });
  await writeMark(folder, { from, approved: [] });
}

/** Remembers what the user has approved in a received folder. */
export async function approve({ folder }: Received, hashes: readonly string[]): Promise<void> {
  const before = readReceived(folder);
  if (before === undefined) return;
  await writeMark(folder, { from: before.from, approved: [...new Set([...before.approved, ...hashes])] });
}

async function writeMark(
  folder: string,
  mark: { readonly from: string; readonly approved: readonly string[] },
): Promise<void> {
  const path = join(folder, receivedFile);
  const text = sealJson(JSON.stringify(mark, null, 1));
  const present = await readFile(path, 'utf8').catch(() => undefined);
  if (present !== text) await writeFile(path, text);
}

/** Whether a stage runs code that its definition brings along: a command, or a stage of the user's own. */
export const runsCode = ({ definition }: Pick<DagNode, 'definition'>): boolean =>
  definition.runsUserCode === true || definition.code !== undefined;

/** Whether any stage of a pipeline is defined in a received folder. */
export function isReceived({ nodes }: Pick<Dag, 'nodes'>): boolean {
  const folders = new Set<string>();
  for (const { spanOf, definition } of nodes.values()) {
    folders.add(dirname(spanOf().file.path));
    if (definition.code !== undefined) folders.add(dirname(definition.code.entry));
  }
  return [...folders].some((folder) => receivedAt(folder) !== undefined);
}

/** The received folder that a stage, or its code, is defined in. */
export const receivedDefinition = ({ spanOf, definition }: DagNode): Received | undefined =>
  receivedAt(dirname(spanOf().file.path)) ??
  (definition.code === undefined ? undefined : receivedAt(dirname(definition.code.entry)));

/** What an approval of a stage's code is of: its command or modules, the files that it names, and its configuration. */
export const codeHash = (node: DagNode, sources: SourceDigests): string =>
  sha256(canonicalJson(keyMaterialOf({ node, inputs: {}, sources })));

/** Where the code of a stage comes from, if nobody has approved it. */
export function unapprovedCode(node: DagNode, sources: SourceDigests): Received | undefined {
  if (!runsCode(node)) return undefined;
  const received = receivedDefinition(node);
  return received === undefined || received.approved.has(codeHash(node, sources)) ? undefined : received;
}
