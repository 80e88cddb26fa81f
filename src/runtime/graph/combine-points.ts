import { pointLabel, type SweepPoint } from '../config/sweep.ts';
import { yamlToJson } from '../yaml/yaml-doc.ts';
import type { Dag, DagNode, DagPoint } from './dag.ts';

/** A sweep's point and its pipeline's graph there. */
export interface PointDag {
  readonly point: SweepPoint;
  readonly dag: Dag;
}

/**
 * The graphs of all points as one. A stage that is the same in several points, including everything it needs, appears
 * once, named for what distinguishes those points: `load`, `seed=1/split`, `epochs=2,seed=1/train`. Points that are not
 * kept are left out, but they count when the others are named.
 */
export function combinePoints(
  points: readonly [PointDag, ...(readonly PointDag[])],
  kept: ReadonlySet<SweepPoint>,
): Dag {
  const [{ dag }] = points;
  const labels = points.map(({ point }) => pointLabel(point));
  const numbers = new Map<string, number>();
  const identities = points.map((each) => identitiesOf(each.dag, numbers));
  const classes = classesOf(identities);
  const nodes = new Map<string, DagNode>();
  const subOutputs = new Map<string, { readonly stage: string; readonly names: readonly string[] }>();
  const combined = points.flatMap((each, index): readonly DagPoint[] => {
    if (!kept.has(each.point)) return [];
    const label = labels[index] ?? '';
    const ownLabels = new Map(
      [...each.dag.nodes.keys()].map((id) => {
        const alike = classes.get(id)?.get(identities[index]?.get(id) ?? -1) ?? [];
        return [id, labelOf({ alike, points, labels, groups: classes.get(id)?.size ?? 1 })] as const;
      }),
    );
    const names = new Map([...ownLabels].map(([id, own]) => [id, own === undefined ? id : `${own}/${id}`]));
    const renamed = (id: string): string => names.get(id) ?? id;
    for (const [id, node] of each.dag.nodes)
      if (!nodes.has(renamed(id)))
        nodes.set(renamed(id), renameNode(node, { renamed, label: ownLabels.get(id) }));
    for (const [name, { stage, names: path }] of each.dag.subOutputs)
      subOutputs.set(`${label}/${name}`, { stage: renamed(stage), names: path });
    return [{ label, params: paramsOf(each.point), stages: names }];
  });
  return { ...dag, overridden: true, nodes, subOutputs, points: combined };
}

const paramsOf = (point: SweepPoint): DagPoint['params'] =>
  Object.fromEntries([...point].map(([name, { value }]) => [name, yamlToJson(value)]));

type Identities = ReadonlyMap<string, number>;

/** Numbers the stages of a graph. Equal stages of different points, with equal inputs, share a number. */
function identitiesOf(dag: Dag, numbers: Map<string, number>): Identities {
  const identities = new Map<string, number>();
  for (const [id, node] of dag.nodes) {
    const inputs = Object.entries(node.inputs).map(([port, { stage, output, part }]) => [
      port,
      identities.get(stage),
      output,
      part ?? null,
    ]);
    const { definition, config, timeoutMs = null, retries, resources } = node;
    const code = definition.code?.entry ?? null;
    const spelled = JSON.stringify([
      id,
      definition.name,
      code,
      config,
      inputs,
      timeoutMs,
      retries,
      resources,
    ]);
    const number = numbers.get(spelled) ?? numbers.size;
    numbers.set(spelled, number);
    identities.set(id, number);
  }
  return identities;
}

/** Stage -> identity -> the indices of the points that have it. */
type Classes = ReadonlyMap<string, ReadonlyMap<number, readonly number[]>>;

function classesOf(identities: readonly Identities[]): Classes {
  const classes = new Map<string, Map<number, number[]>>();
  for (const [index, each] of identities.entries())
    for (const [id, identity] of each) {
      const ofStage = classes.get(id) ?? new Map<number, number[]>();
      classes.set(id, ofStage);
      ofStage.set(identity, [...(ofStage.get(identity) ?? []), index]);
    }
  return classes;
}

/**
 * What distinguishes the points that share a stage: the params with one value in all of them, or the first point's label
 * if those do not suffice. Undefined if all points share the stage.
 */
function labelOf({
  alike,
  points,
  labels,
  groups,
}: {
  readonly alike: readonly number[];
  readonly points: readonly PointDag[];
  readonly labels: readonly string[];
  readonly groups: number;
}): string | undefined {
  const [first = 0] = alike;
  if (groups === 1 && alike.length === points.length) return undefined;
  const own = points[first]?.point ?? new Map();
  const spelledAt = (name: string, index: number): string | undefined => {
    const entry = points[index]?.point.get(name);
    return entry && JSON.stringify(yamlToJson(entry.value));
  };
  const shared = [...own.keys()].filter((name) =>
    alike.every((index) => spelledAt(name, index) === spelledAt(name, first)),
  );
  const others = points.flatMap((_, index) => (alike.includes(index) ? [] : [index]));
  const tells = others.every((index) =>
    shared.some((name) => spelledAt(name, index) !== spelledAt(name, first)),
  );
  return tells && alike.length > 1 ? pointLabel(own, shared) : labels[first];
}

function renameNode(
  node: DagNode,
  { renamed, label }: { readonly renamed: (id: string) => string; readonly label: string | undefined },
): DagNode {
  const inputs = Object.entries(node.inputs).map(
    ([port, binding]) => [port, { ...binding, stage: renamed(binding.stage) }] as const,
  );
  const point = label === undefined ? {} : { point: label };
  return { ...node, ...point, id: renamed(node.id), inputs: Object.fromEntries(inputs) };
}
