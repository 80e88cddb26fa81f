import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import { UserError } from '../../../src/core/user-error.ts';
import type { ActionPort } from '../../../src/runtime/stage/stage-action.ts';
import type { StageDefinition } from '../../../src/runtime/stage/stage-definition.ts';
import type { Content, Outputs } from './content.ts';
import { lawRegistry } from './law-stages.ts';
import { isMeddling } from './meddle.ts';
import { readOwnStage, runOwnStage } from './own-stage.ts';
import { configOf, kindOf, type Project, partsOf, type WrittenStage } from './project.ts';

/** The content of a path of the project: a file, or all files below it. */
export function contentAt(path: string, { files }: Project): Content {
  if (Object.hasOwn(files, path)) return { file: Buffer.from(files[path] ?? '').toString('latin1') };
  const inside = Object.entries(files).filter(([name]) => name.startsWith(`${path}/`));
  const texts = inside.map(([name, text]): [string, string] => [name.slice(path.length + 1), text]);
  return { files: Object.fromEntries(texts) };
}

/** Runs a stage's code and no other code of the product; undefined if the stage refuses or must not succeed. `folder` holds the project. */
export async function runAlone(
  stage: WrittenStage,
  at: { readonly project: Project; readonly inputs: Outputs; readonly folder: string },
): Promise<Outputs | undefined> {
  if (stage.uses === './own') return { records: ownRecords(stage, at) };
  if (stage.uses === 'meddle' && isMeddling(configOf(stage, at.project))) return undefined;
  const definition = definitionOf(stage);
  const scratch = await mkdtemp(join(at.folder, 'alone-'));
  try {
    const outputs = await emptyOutputs(stage, { project: at.project, scratch });
    const { run } = await definition.load();
    const action = {
      stage: stage.id,
      uses: stage.uses,
      version: definition.version,
      config: absoluteConfig(stage, at),
      inputs: await laidOut(at.inputs, join(scratch, 'in')),
      outputs,
      statePath: scratch,
      resources: {},
    };
    await run(action, { signal: new AbortController().signal, report: () => {} });
    const contents = await Promise.all(
      Object.entries(outputs).map(async ([port, to]) => [port, await contentOf(to)] as const),
    );
    return Object.fromEntries(contents);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  } finally {
    await rm(scratch, { recursive: true });
  }
}

function ownRecords(
  stage: WrittenStage,
  { project, inputs }: { readonly project: Project; readonly inputs: Outputs },
): Content {
  const { files } = project;
  const { most = readOwnStage(files).most } = configOf(stage, project);
  return runOwnStage(inputs.records ?? {}, { most: Number(most), files });
}

function definitionOf({ uses }: WrittenStage): StageDefinition {
  const definition = lawRegistry.get(uses);
  if (definition === undefined) throw new Error(`no stage ${uses}`);
  return definition;
}

function absoluteConfig(
  stage: WrittenStage,
  { project, folder }: { readonly project: Project; readonly folder: string },
): JsonObject {
  const { fields } = kindOf(stage, project);
  const absolute = (path: Json): string => join(folder, String(path));
  const written = Object.entries({ ...defaultsOf(stage), ...configOf(stage, project) });
  return Object.fromEntries(
    written.map(([name, value]) => {
      if (fields[name]?.mark !== 'source') return [name, fields[name]?.complete?.(value) ?? value];
      return [name, Array.isArray(value) ? value.map(absolute) : absolute(value)];
    }),
  );
}

function defaultsOf(stage: WrittenStage): JsonObject {
  const fields = Object.entries(Object(definitionOf(stage).schema.properties) as Record<string, JsonObject>);
  return Object.fromEntries(
    fields.flatMap(([name, field]) => (field.default === undefined ? [] : [[name, field.default]])),
  );
}

async function emptyOutputs(
  stage: WrittenStage,
  { project, scratch }: { readonly project: Project; readonly scratch: string },
): Promise<Readonly<Record<string, ActionPort>>> {
  const parts = partsOf({ stage, output: '' }, project);
  const ports = Object.keys(kindOf(stage, project).outputs).map(
    async (port): Promise<[string, ActionPort]> => {
      const path = join(scratch, 'out', port);
      await mkdir(parts === undefined ? dirname(path) : path, { recursive: true });
      if (parts === undefined) return [port, { path }];
      return [port, { parts: Object.fromEntries(parts.map((part) => [part, join(path, part)])) }];
    },
  );
  return Object.fromEntries(await Promise.all(ports));
}

async function laidOut(inputs: Outputs, folder: string): Promise<Readonly<Record<string, ActionPort>>> {
  const ports = Object.entries(inputs).map(async ([port, content]): Promise<[string, ActionPort]> => {
    const path = join(folder, port);
    const files = content.files ?? content.parts ?? { '': content.file ?? '' };
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(path, name)), { recursive: true });
      await writeFile(join(path, name), text, 'latin1');
    }
    if (content.parts === undefined) return [port, { path }];
    const names = Object.keys(content.parts);
    return [port, { parts: Object.fromEntries(names.map((part) => [part, join(path, part)])) }];
  });
  return Object.fromEntries(await Promise.all(ports));
}

async function contentOf(port: ActionPort): Promise<Content> {
  if ('parts' in port) {
    const parts = Object.entries(port.parts).map(async ([part, path]) => [part, await bytesOf(path)]);
    return { parts: Object.fromEntries(await Promise.all(parts)) };
  }
  const inside = await readdir(port.path, { recursive: true, withFileTypes: true }).catch(() => undefined);
  if (inside === undefined) return { file: await bytesOf(port.path) };
  const paths = inside.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const files = paths.map(async (path) => [path.slice(port.path.length + 1), await bytesOf(path)]);
  return { files: Object.fromEntries(await Promise.all(files)) };
}

const bytesOf = (path: string): Promise<string> => readFile(path, 'latin1');
