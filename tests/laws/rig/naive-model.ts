import type { Json } from '../../../src/core/json.ts';
import type { Content, Outputs } from './content.ts';
import { lawRegistry } from './law-stages.ts';
import { readOwnStage } from './own-stage.ts';
import { configOf, kindOf, type Project, type Reference, type WrittenStage } from './project.ts';
import { contentAt, runAlone } from './run-alone.ts';

/** All that decides what a stage writes, as plain nested values: whole contents, where the product has digests. */
export interface Material {
  readonly uses: string;
  readonly version: number | undefined;
  readonly config: Readonly<Record<string, Json | Source | readonly Source[]>>;
  readonly inputs: Outputs;
  /** Of an own stage: module -> its text. */
  readonly code?: Readonly<Record<string, string>>;
}

export interface Source {
  readonly content: Content;
}

/** What a run will do with a stage. */
export interface Foreseen {
  /** Absent for a skipped stage. */
  readonly material?: Material;
  readonly outcome: 'ran' | 'reused' | 'failed' | 'skipped';
  readonly outputs?: Outputs;
  /** What can be said before anything runs: `run`, `reuse`, or the stages to wait for. */
  readonly planned: 'run' | 'reuse' | readonly string[];
}

interface Asked {
  /** The project's folder. */
  readonly folder: string;
  readonly stages: ReadonlySet<string>;
  readonly forced: ReadonlySet<string>;
}

/** Remembers everything that was ever computed. */
export class NaiveModel {
  readonly #results = new Map<string, Outputs>();

  /** Predicts a run. An unknown result is computed here, by the stage's code alone. */
  async foresee(project: Project, asked: Asked): Promise<ReadonlyMap<string, Foreseen>> {
    const known = new Set(this.#results.keys());
    const seen = new Map<string, Foreseen>();
    for (const stage of project.stages.filter(({ id }) => asked.stages.has(id))) {
      const needs = [...new Set(Object.values(stage.from).map((to) => to.stage))];
      const waits = needs.filter((id) => seen.get(id)?.planned !== 'reuse');
      if (needs.some((id) => seen.get(id)?.outputs === undefined)) {
        seen.set(stage.id, { outcome: 'skipped', planned: waits });
        continue;
      }
      const material = materialOf(stage, { project, seen });
      const key = nameOf(material);
      const isForced = asked.forced.has(stage.id);
      const outcome = this.#results.has(key) && !isForced ? 'reused' : 'ran';
      const outputs =
        this.#results.get(key) ?? (await runAlone(stage, { project, inputs: material.inputs, ...asked }));
      const planned = waits.length > 0 ? waits : known.has(key) && !isForced ? 'reuse' : 'run';
      if (outputs !== undefined) this.#results.set(key, outputs);
      seen.set(
        stage.id,
        outputs === undefined
          ? { material, outcome: 'failed', planned }
          : { material, outcome, planned, outputs },
      );
    }
    return seen;
  }
}

/** Equal for equal values, whatever the order of their fields. */
export const nameOf = (value: unknown): string =>
  JSON.stringify(value, (_, inner) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  ) ?? 'nothing';

function materialOf(
  stage: WrittenStage,
  { project, seen }: { readonly project: Project; readonly seen: ReadonlyMap<string, Foreseen> },
): Material {
  const inputs = Object.entries(stage.from).map(([port, to]): [string, Content] => [
    port,
    contentOf(to, seen.get(to.stage)?.outputs ?? {}),
  ]);
  return { ...ownMaterial(stage, project), inputs: Object.fromEntries(inputs) };
}

/** Everything except its inputs. */
export function ownMaterial(stage: WrittenStage, project: Project): Omit<Material, 'inputs'> {
  const config = countedConfig(stage, project);
  if (stage.uses !== './own')
    return { uses: stage.uses, version: lawRegistry.get(stage.uses)?.version, config };
  const { version, code } = readOwnStage(project.files);
  return { uses: 'own', version, config, code };
}

function contentOf({ output, part }: Reference, outputs: Outputs): Content {
  const content = outputs[output];
  if (content === undefined) throw new Error(`no output ${output}`);
  const file = part === undefined ? undefined : content.parts?.[part];
  return file === undefined ? content : { file };
}

/** The configuration as far as it counts. */
function countedConfig(stage: WrittenStage, project: Project): Material['config'] {
  const written = configOf(stage, project);
  const counted: [string, Material['config'][string]][] = [];
  for (const [name, field] of Object.entries(kindOf(stage, project).fields)) {
    const value = Object.hasOwn(written, name) ? written[name] : field.default;
    const isLeftOut = field.mark === 'unless-default' && nameOf(value) === nameOf(field.default);
    if (value === undefined || field.mark === 'none' || isLeftOut) continue;
    const source = (path: Json): Source => ({ content: contentAt(String(path), project) });
    if (field.mark !== 'source') counted.push([name, field.complete?.(value) ?? value]);
    else counted.push([name, Array.isArray(value) ? value.map(source) : source(value)]);
  }
  return Object.fromEntries(counted);
}
