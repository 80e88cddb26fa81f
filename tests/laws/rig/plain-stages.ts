import { expect } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import type { Dag } from '../../../src/runtime/graph/dag.ts';
import { plainProject, pointsOf } from './plain-project.ts';
import type { Project, Reference, WrittenStage } from './project.ts';

/** The stages of all points of a project, each once, under the names that the graph has for them. */
export interface PlainStages {
  readonly project: Project;
  /** What a stage is called at its point, and the point. */
  readonly origin: ReadonlyMap<string, { readonly id: string; readonly point: JsonObject }>;
}

/** Also checks that the graph has one stage for two points only if the stage is the same at both. */
export function plainStages(project: Project, { points: named }: Dag): PlainStages {
  const points = pointsOf(project);
  if (named !== undefined) expect(named.map(({ params }) => params)).toEqual(points);
  const stages = new Map<string, WrittenStage>();
  const origin = new Map<string, { readonly id: string; readonly point: JsonObject }>();
  for (const [index, point] of points.entries()) {
    const nameOf = (id: string): string => named?.[index]?.stages.get(id) ?? id;
    for (const stage of plainProject(project, point).stages) {
      const id = nameOf(stage.id);
      const renamed = (to: Reference): Reference => ({ ...to, stage: nameOf(to.stage) });
      const from = Object.entries(stage.from).map(([port, to]) => [port, renamed(to)]);
      const plain = { ...stage, id, from: Object.fromEntries(from) };
      const before = stages.get(id);
      if (before !== undefined) expect(plain).toEqual(before);
      stages.set(id, plain);
      if (before === undefined) origin.set(id, { id: stage.id, point });
    }
  }
  return { project: { ...plainProject(project, {}), stages: [...stages.values()] }, origin };
}
