import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FaultyRecord } from '../../core/index.ts';
import type { DagNode } from '../graph/dag.ts';
import type { PortContent } from '../key/digest.ts';
import { checkpointKeyOf, keyMaterialOf, memoKeyOf, stageVersion } from '../key/key-material.ts';
import type { Failure } from '../stage/run-event.ts';
import type { ActionPort, StageAction } from '../stage/stage-action.ts';
import type { ContentGiver } from '../store/given-contents.ts';
import { openKeptFolder } from '../store/kept-folder.ts';
import { attemptFiles, pathSegment } from '../store/store-layout.ts';
import type { RunContext, StageTask } from './run-context.ts';

/** What an action takes of its stage. */
export type ActionNode = Pick<DagNode, 'id' | 'config' | 'outputParts' | 'resources'> & {
  readonly definition: Pick<DagNode['definition'], 'name' | 'version' | 'versionOf'>;
  readonly ports: { readonly outputs: Readonly<Record<string, unknown>> };
};

/** Makes an attempt's action: lays out its inputs for reading and prepares the places of its outputs. */
export async function prepareAction(attempt: {
  readonly node: ActionNode;
  readonly inputs: Readonly<Record<string, PortContent>>;
  readonly folder: string;
  readonly given: ContentGiver;
  readonly resources: StageAction['resources'];
}): Promise<StageAction> {
  const { node, inputs, folder, given, resources } = attempt;
  return {
    stage: node.id,
    uses: node.definition.name,
    version: stageVersion(node),
    config: node.config,
    inputs: await inputPorts(inputs, { given, folder: join(folder, attemptFiles.inputs) }),
    outputs: await outputPorts(node, join(folder, attemptFiles.outputs)),
    statePath: join(folder, attemptFiles.state),
    resources: { ...node.resources, ...resources },
  };
}

async function inputPorts(
  inputs: Readonly<Record<string, PortContent>>,
  { given, folder }: { readonly given: ContentGiver; readonly folder: string },
): Promise<Readonly<Record<string, ActionPort>>> {
  const ports: [string, ActionPort][] = [];
  for (const [port, content] of Object.entries(inputs)) {
    const destination = join(folder, pathSegment(port));
    if (typeof content === 'string') {
      const name = `its input \`${port}\``;
      ports.push([port, { path: await given.give({ name, digest: content, destination }) }]);
      continue;
    }
    const parts: [string, string][] = [];
    for (const [part, digest] of Object.entries(content.parts)) {
      const name = `its input \`${port}.${part}\``;
      const path = await given.give({ name, digest, destination: join(destination, pathSegment(part)) });
      parts.push([part, path]);
    }
    ports.push([port, { parts: Object.fromEntries(parts) }]);
  }
  return Object.fromEntries(ports);
}

async function outputPorts(node: ActionNode, folder: string): Promise<Readonly<Record<string, ActionPort>>> {
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
