import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { canonicalJson, err, type FaultyRecord, ok, type Result } from '../../core/index.ts';
import type { DagNode } from '../graph/dag.ts';
import { type Digest, isFolderDigest, type PortContent } from '../key/digest.ts';
import { checkpointKeyOf, keyMaterialOf, memoKeyOf } from '../key/key-material.ts';
import { bundleStage } from '../module/bundle-stage.ts';
import { modulesNow } from '../plan/read-modules.ts';
import type { Failure } from '../stage/run-event.ts';
import type { ActionPort, StageAction } from '../stage/stage-action.ts';
import { materializeFolder } from '../store/folder-manifest.ts';
import { openKeptFolder } from '../store/kept-folder.ts';
import type { Store } from '../store/store.ts';
import { attemptFiles, blobPath, pathSegment } from '../store/store-layout.ts';
import type { RunContext, StageTask } from './run-context.ts';

/** Makes an attempt's action: lays out its inputs for reading and prepares the places of its outputs. */
export async function prepareAction(
  store: Store,
  attempt: {
    readonly node: DagNode;
    readonly inputs: Readonly<Record<string, PortContent>>;
    readonly folder: string;
    readonly resources: StageAction['resources'];
  },
): Promise<StageAction> {
  const { node, inputs, folder, resources } = attempt;
  return {
    stage: node.id,
    uses: node.definition.name,
    version: node.definition.version,
    config: node.config,
    inputs: await inputPorts(store, { inputs, folder: join(folder, attemptFiles.inputs) }),
    outputs: await outputPorts(node, join(folder, attemptFiles.outputs)),
    statePath: join(folder, attemptFiles.state),
    resources: { ...node.resources, ...resources },
  };
}

async function inputPorts(
  store: Store,
  { inputs, folder }: { readonly inputs: Readonly<Record<string, PortContent>>; readonly folder: string },
): Promise<Readonly<Record<string, ActionPort>>> {
  const ports: [string, ActionPort][] = [];
  for (const [port, content] of Object.entries(inputs)) {
    const destination = join(folder, pathSegment(port));
    if (typeof content === 'string') {
      ports.push([port, { path: await readablePath(store, { digest: content, destination }) }]);
      continue;
    }
    const parts: [string, string][] = [];
    for (const [part, digest] of Object.entries(content.parts)) {
      parts.push([
        part,
        await readablePath(store, { digest, destination: join(destination, pathSegment(part)) }),
      ]);
    }
    ports.push([port, { parts: Object.fromEntries(parts) }]);
  }
  return Object.fromEntries(ports);
}

/** A file is read from the store directly; a folder is laid out for the attempt. */
async function readablePath(store: Store, content: { digest: Digest; destination: string }): Promise<string> {
  if (!isFolderDigest(content.digest)) return join(store.root, blobPath(content.digest));
  await mkdir(dirname(content.destination), { recursive: true });
  await materializeFolder(store, content);
  return content.destination;
}

async function outputPorts(node: DagNode, folder: string): Promise<Readonly<Record<string, ActionPort>>> {
  const ports: [string, ActionPort][] = [];
  for (const port of Object.keys(node.ports.outputs)) {
    const path = join(folder, pathSegment(port));
    const parts = node.outputParts[port];
    if (parts === undefined) {
      ports.push([port, { path }]);
    } else {
      await mkdir(path, { recursive: true });
      ports.push([
        port,
        { parts: Object.fromEntries(parts.map((part) => [part, join(path, pathSegment(part))])) },
      ]);
    }
  }
  return Object.fromEntries(ports);
}

/** The folders that an attempt shares with executions of other keys. A forced stage gets none: it does all its work. */
export async function openKeptFolders(
  { node, decision, inputs }: StageTask,
  { store, sources }: RunContext,
): Promise<Pick<StageAction, 'memoPath' | 'checkpointPath'>> {
  const { definition } = node;
  const shares = definition.memo !== undefined || definition.horizon !== undefined;
  if (!shares || decision.reason.kind === 'forced') return {};
  const material = keyMaterialOf({ node, inputs, sources });
  const memo = memoKeyOf({ node, material });
  const checkpoints = checkpointKeyOf({ node, material });
  return {
    ...(memo && { memoPath: await openKeptFolder(store, { kind: 'memo', key: memo }) }),
    ...(checkpoints && {
      checkpointPath: await openKeptFolder(store, { kind: 'checkpoints', key: checkpoints }),
    }),
  };
}

/** Replaces the paths of laid-out sources in a failure by the addresses that the user wrote. */
export function withAddresses(failure: Failure, addresses: ReadonlyMap<string, string>): Failure {
  if (addresses.size === 0 || failure.kind !== 'stage-error') return failure;
  const replace = (text: string): string =>
    [...addresses].reduce((left, [path, address]) => left.replaceAll(path, address), text);
  const { message, help, records } = failure;
  return {
    ...failure,
    message: replace(message),
    ...(help === undefined ? {} : { help: replace(help) }),
    ...(records === undefined ? {} : { records: records.map((record) => replacedIn(record, replace)) }),
  };
}

const replacedIn = (record: FaultyRecord, replace: (text: string) => string): FaultyRecord => ({
  ...record,
  ...(record.problem === undefined ? {} : { problem: replace(record.problem) }),
  ...(record.place === undefined ? {} : { place: { ...record.place, path: replace(record.place.path) } }),
});

/** The module beside the stage process that users' stages import as `tuneloom/stage`. */
const stageApiFile = 'stage.js';

/** Bundles the code of a user's stage into the attempt's folder; does nothing for a built-in stage. */
export async function bundleCode(
  { definition }: DagNode,
  { folder, stageProcess }: { readonly folder: string; readonly stageProcess: string },
): Promise<Result<{ readonly code?: string }, Failure>> {
  const entry = definition.code?.entry;
  if (entry === undefined) return ok({});
  const outfile = join(folder, attemptFiles.code);
  try {
    await bundleStage({ entry, stageApi: join(dirname(stageProcess), stageApiFile), outfile });
    return ok({ code: outfile });
  } catch (error) {
    // It compiled when the run was prepared.
    if (error instanceof Error && 'errors' in error) return err({ kind: 'source-changed', path: entry });
    throw error;
  }
}

/** The entry module of a user's stage if its code has changed since the key was computed. */
export async function changedCode(node: DagNode): Promise<string | undefined> {
  const entry = node.definition.code?.entry;
  if (entry === undefined) return undefined;
  const isSame = canonicalJson(await modulesNow(node)) === canonicalJson(node.modules);
  return isSame ? undefined : entry;
}
