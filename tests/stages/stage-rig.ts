import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Json, JsonObject } from '../../src/core/json.ts';
import type { ActionPort, StageAction } from '../../src/runtime/stage/stage-action.ts';
import type { StageModule, StageReport } from '../../src/runtime/stage/stage-definition.ts';

/** Runs a stage's code on real files in a temporary folder that is removed with the rig. Files are named by their paths in it. */
export interface StageRig extends AsyncDisposable {
  readonly folder: string;
  /** What the stages reported: progress, notes and warnings. */
  readonly reports: StageReport[];
  readonly path: (name: string) => string;
  readonly write: (name: string, content: string | Uint8Array) => Promise<string>;
  readonly writeRecords: (name: string, records: readonly Json[]) => Promise<string>;
  readonly readRecords: (name: string) => Promise<Json[]>;
  /** `stage` is what `run-<name>.ts` exports: `rig.run({ run }, ...)`. */
  readonly run: (stage: StageModule, action: RigAction) => ReturnType<StageModule['run']>;
}

export interface RigAction {
  /** Passed on unchecked and without defaults; `fillDefaults` adds those of the stage's schema. */
  readonly config: JsonObject;
  /** Port -> the name of its file or folder, or its parts -> their names. Inputs have to be written first. */
  readonly inputs?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly outputs: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly resources?: StageAction['resources'];
  readonly signal?: AbortSignal;
}

export async function openStageRig(): Promise<StageRig> {
  const folder = await mkdtemp(join(tmpdir(), 'tuneloom-stage-'));
  const reports: StageReport[] = [];
  const path = (name: string) => join(folder, name);
  const ports = (named: RigAction['outputs']): Record<string, ActionPort> =>
    Object.fromEntries(
      Object.entries(named).map(([port, at]) => [
        port,
        typeof at === 'string'
          ? { path: path(at) }
          : { parts: Object.fromEntries(Object.entries(at).map(([part, name]) => [part, path(name)])) },
      ]),
    );
  const write = async (name: string, content: string | Uint8Array) => {
    await writeFile(path(name), content);
    return path(name);
  };
  return {
    folder,
    reports,
    path,
    write,
    writeRecords: (name, records) =>
      write(name, records.map((record) => `${JSON.stringify(record)}\n`).join('')),
    readRecords: async (name) =>
      (await readFile(path(name), 'utf8'))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
    run: (stage, { config, inputs = {}, outputs, resources = {}, signal = new AbortController().signal }) =>
      stage.run(
        {
          stage: 'tested',
          uses: 'tested',
          version: 1,
          config,
          inputs: ports(inputs),
          outputs: ports(outputs),
          statePath: path('state'),
          resources,
        },
        { signal, report: (report) => reports.push(report) },
      ),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
