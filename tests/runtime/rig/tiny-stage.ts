import { readFile, writeFile } from 'node:fs/promises';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import type { ActionPort, StageAction } from '../../../src/runtime/stage/stage-action.ts';
import type { StageDefinition, StageHost, StagePorts } from '../../../src/runtime/stage/stage-definition.ts';

export type Run = (action: StageAction, host: StageHost) => Promise<Readonly<Record<string, Json>>>;

interface TinyStage {
  readonly name: string;
  readonly version?: number;
  readonly properties?: JsonObject;
  readonly ports: StagePorts | ((config: JsonObject) => StagePorts);
  readonly process?: 'child' | 'shared';
  readonly device?: 'accelerator';
  readonly run: Run;
}

/** A complete definition from what is specific to a stage. */
export function tinyStage(stage: TinyStage): StageDefinition {
  const { ports, run } = stage;
  return {
    name: stage.name,
    version: stage.version ?? 1,
    schema: { type: 'object', additionalProperties: false, properties: stage.properties ?? {} },
    validate: () => true,
    ports: typeof ports === 'function' ? ports : () => ports,
    process: stage.process ?? 'inline',
    device: stage.device ?? 'none',
    load: async () => ({ run }),
  };
}

export const textOut = { text: { type: 'text' } } as const;
export const oneText = { accepts: ['text'], required: true, parts: 'one' } as const;
export const eachText = { accepts: ['text'], required: true, parts: 'each' } as const;

/** The path of a port that has no parts. */
export function pathOf(port: ActionPort | undefined): string {
  if (port === undefined || !('path' in port)) throw new Error('the port has no path of its own');
  return port.path;
}

/** Part -> path; one that has no name where the port has no parts. */
export const partsOf = (port: ActionPort | undefined): Readonly<Record<string, string>> => {
  if (port === undefined) throw new Error('the port is absent');
  return 'path' in port ? { '': port.path } : port.parts;
};

export const readText = (port: ActionPort | undefined): Promise<string> => readFile(pathOf(port), 'utf8');

export const writeText = async (action: StageAction, text: string): Promise<Record<string, never>> => {
  await writeFile(pathOf(action.outputs.text), text);
  return {};
};
