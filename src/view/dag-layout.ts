import dagre from '@dagrejs/dagre';
import type { RunView, StageView } from './run-view.ts';
import type { StageEdge } from './stage-edges.ts';

/** A run's stages laid out from top to bottom, in pixels. */
export interface DagLayout {
  readonly width: number;
  readonly height: number;
  readonly stages: readonly PlacedStage[];
  readonly edges: readonly PlacedEdge[];
}

export interface PlacedStage {
  readonly id: string;
  readonly uses: string;
  readonly decision: StageView['decision'];
  /** The center. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedEdge {
  readonly from: string;
  readonly to: string;
  /** What flows there: `train`, `validation`; the names of several in one line. */
  readonly label: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

const HEIGHT = 46;
/** The width of a character in a stage's name, and the room around it. */
const CHARACTER = 7.6;
const MARGIN = 34;
const WIDEST = 240;

/** Places the stages of a run so that what flows goes down and crosses little. */
export function layOutDag({ stages, edges }: Pick<RunView, 'stages' | 'edges'>): DagLayout {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: 'TB', nodesep: 24, ranksep: 34, edgesep: 16, marginx: 4, marginy: 4 });
  graph.setDefaultEdgeLabel(() => ({}));
  const widths = new Map(stages.map((stage) => [stage.id, widthOf(stage)] as const));
  for (const [id, width] of widths) graph.setNode(id, { width, height: HEIGHT });
  const flows = new Map<string, StageEdge[]>();
  for (const edge of edges) {
    const between = JSON.stringify([edge.from, edge.to]);
    flows.set(between, [...(flows.get(between) ?? []), edge]);
    graph.setEdge(edge.from, edge.to);
  }
  dagre.layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { readonly width?: number; readonly height?: number };
  return {
    width: Math.ceil(finite(width)),
    height: Math.ceil(finite(height)),
    stages: stages.map(({ id, uses, decision }) => {
      const { x, y } = graph.node(id) as { readonly x: number; readonly y: number };
      return { id, uses, decision, x: round(x), y: round(y), width: widths.get(id) ?? 0, height: HEIGHT };
    }),
    edges: [...flows.values()].flatMap((between) => {
      const [first] = between;
      if (first === undefined) return [];
      const { points = [] } = graph.edge(first.from, first.to) as { readonly points?: PlacedEdge['points'] };
      return [
        {
          from: first.from,
          to: first.to,
          label: [...new Set(between.map(flowName))].join(', '),
          points: [
            below(graph.node(first.from)),
            ...points.slice(1, -1).map(({ x, y }) => ({ x: round(x), y: round(y) })),
            above(graph.node(first.to)),
          ],
        },
      ];
    }),
  };
}

const widthOf = ({ id, uses, decision }: StageView): number => {
  const longest = Math.max(id.length, uses === id ? 0 : uses.length + decision.length + 2);
  return Math.round(Math.min(WIDEST, Math.max(110, longest * CHARACTER + MARGIN)));
};

interface Center {
  readonly x: number;
  readonly y: number;
}

const below = ({ x, y }: Center): Center => ({ x: round(x), y: round(y + HEIGHT / 2) });
const above = ({ x, y }: Center): Center => ({ x: round(x), y: round(y - HEIGHT / 2) });

const flowName = ({ output, part }: StageEdge): string => part ?? output;

const round = (value: number): number => Math.round(finite(value) * 10) / 10;

/** An empty graph has no size. */
const finite = (value: number): number => (Number.isFinite(value) ? value : 0);
