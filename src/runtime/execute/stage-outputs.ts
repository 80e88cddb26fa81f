import { existsSync } from 'node:fs';
import type { Failure } from '../event/failure.ts';
import { err, ok, type Result } from '../result.ts';
import type { ActionPort } from '../stage/stage-action.ts';
import type { Digest, PortContent } from '../store/digest.ts';
import { FileChangedError } from '../store/hash-file.ts';
import { ingest } from '../store/ingest.ts';
import type { Store } from '../store/store.ts';
import { storageFailureOf } from '../store/system-error.ts';
import { failureOf, isUserError } from './failure-of.ts';

/** Takes what a stage wrote into the store; fails where it did not write all that it declares. */
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
