import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import type { Dag, DagNode } from '../../runtime/index.ts';
import type { ExportOrigin, ExportSource } from './open-export-source.ts';

/** What a training began from. */
export interface BaseModel {
  /** In words, without the path to it. */
  readonly shown?: string;
  /** On the Hugging Face hub. */
  readonly repository?: string;
  /** As the base's own card has it. */
  readonly license?: string;
}

/** Follows the models back to the one that was loaded. */
export async function baseModelOf({ origin }: ExportSource): Promise<BaseModel> {
  const node = origin && loadedBefore(origin.dag, origin.stage);
  if (origin && node && hasChanged(node.id, origin)) return {};
  const model = node?.config.model;
  if (typeof model !== 'string')
    return node?.config.init === undefined ? {} : { shown: 'fresh random weights' };
  const [, repository] = /^hf:([^@]+)/.exec(model) ?? [];
  if (repository !== undefined) return { shown: model, repository };
  const license = await licenseOf(join(model, 'README.md'));
  return { shown: basename(model), ...(license && { license }) };
}

/** Whether the stage was another when the model was made. */
function hasChanged(stage: string, { plan, pastRun }: ExportOrigin): boolean {
  const [decision, outcome] = [plan.stages.get(stage)?.decision, pastRun?.stages[stage]];
  if (pastRun === undefined) return false;
  const key = decision && 'key' in decision ? decision.key : undefined;
  return key === undefined || outcome === undefined || !('key' in outcome) || outcome.key !== key;
}

function loadedBefore(dag: Dag, stage: string): DagNode | undefined {
  const node = dag.nodes.get(stage);
  if (node === undefined || node.definition.name === 'load') return node;
  const before = Object.values(node.inputs).find(
    (input) => dag.nodes.get(input.stage)?.ports.outputs[input.output]?.type === 'model',
  );
  return before && loadedBefore(dag, before.stage);
}

/** The `license` that a model card's front matter names. */
async function licenseOf(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const [, front = ''] = /^---\r?\n([\s\S]{0,20000}?)\r?\n---/.exec(text) ?? [];
  try {
    const said: unknown = parse(front);
    if (typeof said !== 'object' || said === null || !('license' in said)) return undefined;
    return typeof said.license === 'string' && /^[\w.-]+$/.test(said.license) ? said.license : undefined;
  } catch {
    return undefined;
  }
}
