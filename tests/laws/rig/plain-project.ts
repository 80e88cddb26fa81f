import type { Json, JsonObject } from '../../../src/core/json.ts';
import { behind, configOf, type Project, type Reference, type WrittenStage } from './project.ts';

/** The points of a project's sweep that run, one of them empty where there is no sweep. */
export function pointsOf({ sweep, overrides, params }: Project): readonly JsonObject[] {
  const all = 'points' in sweep ? sweep.points : gridPoints(Object.entries(sweep.grid).sort());
  if (all.length === 0) return [{}];
  const swept = new Set(all.flatMap((point) => Object.keys(point)));
  const asked = Object.entries(overrides).filter(([name]) => swept.has(name));
  return all.filter((point) =>
    asked.every(([name, value]) => JSON.stringify({ ...params, ...point }[name]) === JSON.stringify(value)),
  );
}

function gridPoints(axes: readonly (readonly [string, readonly Json[]])[]): readonly JsonObject[] {
  return axes.reduce<readonly JsonObject[]>(
    (points, [name, values]) =>
      points.flatMap((point) => values.map((value) => ({ ...point, [name]: value }))),
    axes.length === 0 ? [] : [{}],
  );
}

/** Stages alone: what a project says at a point once its parameters and the pipelines that it uses are written out. */
export function plainProject(project: Project, point: JsonObject): Project {
  const outer = { ...project, overrides: { ...project.overrides, ...point } };
  const meant = ({ stage, output, ...part }: Reference): Reference => {
    const inside = project.parts[project.stages.find(({ id }) => id === stage)?.uses ?? ''];
    if (inside === undefined) return { stage, output, ...part };
    const { stage: inner, output: name } = behind(inside, output);
    return { stage: `${stage}/${inner}`, output: name, ...part };
  };
  const stages = project.stages.flatMap((stage): readonly WrittenStage[] => {
    const own = configOf(stage, outer);
    const part = project.parts[stage.uses];
    if (part === undefined) return [plain(stage, { id: stage.id, config: own, meant })];
    const filled = { ...outer, overrides: { ...part.params, ...own } };
    return part.stages.map((inner) =>
      plain(inner, {
        id: `${stage.id}/${inner.id}`,
        config: configOf(inner, filled),
        meant: (to) => {
          const given = to.stage === 'inputs' ? stage.from[to.output] : undefined;
          return given === undefined ? { ...to, stage: `${stage.id}/${to.stage}` } : meant(given);
        },
      }),
    );
  });
  return { ...project, parts: {}, stages: stages.map((stage) => withSets(stage, project.sets)) };
}

function plain(
  stage: WrittenStage,
  as: { readonly id: string; readonly config: JsonObject; readonly meant: (to: Reference) => Reference },
): WrittenStage {
  const from = Object.entries(stage.from).map(([port, to]) => [port, as.meant(to)]);
  return { id: as.id, uses: stage.uses, with: valuesOf(as.config), from: Object.fromEntries(from) };
}

function withSets(stage: WrittenStage, sets: JsonObject): WrittenStage {
  const own = Object.entries(sets).filter(([name]) => name.startsWith(`${stage.id} `));
  const values = own.map(([name, value]): [string, Json] => [name.slice(stage.id.length + 1), value]);
  return { ...stage, with: { ...stage.with, ...valuesOf(Object.fromEntries(values)) } };
}

const valuesOf = (config: JsonObject): WrittenStage['with'] =>
  Object.fromEntries(Object.entries(config).map(([name, value]) => [name, { value }]));
