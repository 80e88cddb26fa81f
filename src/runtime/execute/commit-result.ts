import { existsSync } from 'node:fs';
import { err, ok, type Result } from '../../core/index.ts';
import type { Digest, PortContent } from '../key/digest.ts';
import { keyMaterialOf } from '../key/key-material.ts';
import type { Failure } from '../stage/run-event.ts';
import type { ActionPort, StageAction } from '../stage/stage-action.ts';
import type { StageNote } from '../stage/stage-definition.ts';
import {
  type ActionRecord,
  commitRecord,
  type Fingerprint,
  machineFingerprint,
} from '../store/action-records.ts';
import { FileChangedError } from '../store/hash-file.ts';
import { ingest } from '../store/ingest.ts';
import type { Store } from '../store/store.ts';
import { storageFailureOf } from '../store/system-error.ts';
import { failureOf, isUserError } from './run-action.ts';
import { millisecondsSince, type RunContext, type StageTask, type Start } from './run-context.ts';
import type { Measurements } from './stage-message.ts';

/** Records outputs that are in the store already; returns the record that counts from now on. */
export function commitResult(
  { node, decision, inputs, executor }: StageTask,
  done: {
    readonly outputs: Readonly<Record<string, PortContent>>;
    readonly measurements: Measurements;
    /** Where it ran, if not on this machine. */
    readonly machine?: Fingerprint | undefined;
    readonly warnings: readonly StageNote[];
    readonly started: Start;
    readonly context: RunContext;
  },
): Promise<ActionRecord> {
  const { outputs, measurements, machine, warnings, started, context } = done;
  const resources = { ...node.resources, ...context.resources };
  const fingerprint = fingerprintOf({ measurements, resources, machine });
  const record: ActionRecord = {
    format: 1,
    key: decision.key,
    material: keyMaterialOf({ node, inputs, sources: context.sources }),
    outputs,
    provenance: {
      pipeline: context.dag.name,
      stage: node.id,
      run: context.run,
      startedAt: started.date.toISOString(),
      milliseconds: millisecondsSince(started),
      ...(executor.name !== 'local' && { executor: executor.name }),
      fingerprint,
    },
    measurements,
    ...(warnings.length > 0 && { warnings: keptWarnings(warnings) }),
  };
  // A run that was to replace a result replaces it; otherwise the first record counts.
  const replace = decision.reason.kind !== 'never-ran' && decision.reason.kind !== 'changed';
  return commitRecord(context.store, { record, replace });
}

/** The most warnings that a record keeps, and the most characters of each. */
const mostWarnings = 20;
const mostCharacters = 2000;

/** Without the lines of records, which may be others when the warnings are repeated. */
const keptWarnings = (warnings: readonly StageNote[]): NonNullable<ActionRecord['warnings']> =>
  warnings.slice(0, mostWarnings).map(({ message, records }) => ({
    message: message.slice(0, mostCharacters),
    ...(records && { records: records.flatMap(({ id }) => id ?? []).slice(0, mostWarnings) }),
  }));

/** Moves what a stage wrote into the store; fails if a declared output is missing. */
export async function ingestOutputs(
  store: Store,
  outputs: Readonly<Record<string, ActionPort>>,
): Promise<Result<Readonly<Record<string, PortContent>>, Failure>> {
  const missing = Object.entries(outputs).flatMap(([port, content]) => missingIn(port, content));
  if (missing[0] !== undefined) return err({ kind: 'missing-output', output: missing[0] });
  try {
    const contents: [string, PortContent][] = [];
    for (const [port, content] of Object.entries(outputs))
      contents.push([port, await ingestPort(store, content)]);
    return ok(Object.fromEntries(contents));
  } catch (error) {
    return err(ingestFailure(error));
  }
}

function missingIn(port: string, content: ActionPort): readonly string[] {
  if ('path' in content) return existsSync(content.path) ? [] : [port];
  return Object.entries(content.parts).flatMap(([part, path]) =>
    existsSync(path) ? [] : [`${port}.${part}`],
  );
}

async function ingestPort(store: Store, content: ActionPort): Promise<PortContent> {
  if ('path' in content) return ingest(store, content.path);
  const parts: [string, Digest][] = [];
  for (const [part, path] of Object.entries(content.parts)) parts.push([part, await ingest(store, path)]);
  return { parts: Object.fromEntries(parts) };
}

function ingestFailure(error: unknown): Failure {
  if (error instanceof FileChangedError) {
    const message = `an output was still being written after the stage had ended: ${error.path}`;
    return { kind: 'stage-error', code: 'output-still-written', message };
  }
  if (isUserError(error)) return failureOf(error, new AbortController().signal);
  const storage = storageFailureOf(error);
  if (storage !== undefined) return storage;
  return {
    kind: 'stage-error',
    code: 'unusable-output',
    message: error instanceof Error ? error.message : `${error}`,
  };
}

/** Where a stage ran: its own measurements win over the resources that it was given. */
export function fingerprintOf(stage: {
  readonly measurements: Measurements;
  readonly resources: StageAction['resources'];
  readonly machine?: Fingerprint | undefined;
}): Fingerprint {
  const { measurements, resources, machine = machineFingerprint() } = stage;
  const textOf = (name: string) => {
    const value = measurements[name];
    return typeof value === 'string' ? value : undefined;
  };
  const threads = typeof measurements.threads === 'number' ? measurements.threads : resources.threads;
  const parts = {
    backend: textOf('backend') ?? resources.backend,
    engine: textOf('engine'),
    instructionSet: textOf('instructionSet'),
    device: textOf('device'),
    threads,
  };
  const known = Object.entries(parts).filter(([, part]) => part !== undefined);
  return { ...machine, ...Object.fromEntries(known) };
}
