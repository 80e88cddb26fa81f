import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DagNode } from '../graph/dag.ts';
import type { ActionPort, StageAction } from '../stage/stage-action.ts';
import { type Digest, isFolderDigest, type PortContent } from '../store/digest.ts';
import { materialiseFolder } from '../store/materialise.ts';
import type { Store } from '../store/store.ts';
import { blobPath, pathSegment } from '../store/store-layout.ts';
import { attemptFiles } from './attempt.ts';

/** Writes out what an attempt is to do: its inputs laid out for reading, the places of its outputs ready for writing. */
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

/** A file is read where it is kept; a folder is laid out for the attempt. */
async function readablePath(store: Store, content: { digest: Digest; destination: string }): Promise<string> {
  if (!isFolderDigest(content.digest)) return join(store.root, blobPath(content.digest));
  await mkdir(dirname(content.destination), { recursive: true });
  await materialiseFolder(store, content);
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
