import { didYouMean, err, ok, type Result } from '../../core/index.ts';
import { type Diagnostic, fewOf } from '../diagnostic/diagnostic.ts';
import type { Dag, DagNode } from '../graph/dag.ts';

/** Stages selected by id. */
export interface StageSelection {
  /** These and all they need; the whole pipeline if empty. A sub-pipeline's id means all of its stages. */
  readonly targets?: readonly string[];
  /** Run even if a past result could be reused. */
  readonly force?: readonly string[];
}

/** The selected stages in topological order, or a diagnostic for each unknown id. */
export function selectStages(
  dag: Dag,
  { targets = [], force = [] }: StageSelection,
): Result<ReadonlyMap<string, DagNode>, readonly Diagnostic[]> {
  const unknown = [...new Set([...targets, ...force])].filter((name) => stagesCalled(name, dag).length === 0);
  if (unknown.length > 0) return err(unknown.map((id) => unknownStage(id, dag)));
  if (targets.length === 0) return ok(dag.nodes);
  const needed = new Set(targets.flatMap((name) => stagesCalled(name, dag)));
  // In reverse topological order, a stage comes after all stages that need it.
  for (const [id, node] of [...dag.nodes].reverse()) {
    if (needed.has(id)) for (const { stage } of Object.values(node.inputs)) needed.add(stage);
  }
  return ok(new Map([...dag.nodes].filter(([id]) => needed.has(id))));
}

/** The stage with that id, or all stages of a sub-pipeline, of a sweep's point, or with that id in every point. */
export function stagesCalled(name: string, { nodes, points = [] }: Dag): readonly string[] {
  if (nodes.has(name)) return [name];
  const isCalled = (path: readonly string[]): boolean => namesAlong(path).includes(name);
  const inPoints = points.flatMap(({ label, stages }) =>
    [...stages.values()].filter((id) => {
      const path = nodes.get(id)?.path ?? [];
      return isCalled(path) || isCalled([label, ...path]);
    }),
  );
  return [
    ...new Set([
      ...[...nodes.values()].filter((node) => isCalled(pathOf(node))).map(({ id }) => id),
      ...inPoints,
    ]),
  ];
}

export const stagesForced = ({
  dag,
  force = [],
}: StageSelection & { readonly dag: Dag }): ReadonlySet<string> =>
  new Set(force.flatMap((name) => stagesCalled(name, dag)));

function unknownStage(id: string, dag: Dag): Diagnostic {
  return {
    code: 'unknown-stage',
    message: `the pipeline ${dag.name} has no stage \`${id}\``,
    help: didYouMean(id, namesIn(dag)) ?? `its stages are ${fewOf([...dag.nodes.keys()], 'and')}`,
  };
}

/** Every id, and every namespace. */
const namesIn = ({ nodes, points = [] }: Dag): ReadonlySet<string> =>
  new Set(
    [...nodes.values()].flatMap((node) => [
      ...namesAlong(pathOf(node)),
      ...(points.length === 0 ? [] : namesAlong(node.path)),
    ]),
  );

const pathOf = ({ point, path }: DagNode): readonly string[] =>
  point === undefined ? path : [point, ...path];

/** `['mmlu', 'format']` -> `mmlu` and `mmlu/format`. */
const namesAlong = (path: readonly string[]): readonly string[] =>
  path.map((_, index) => path.slice(0, index + 1).join('/'));
