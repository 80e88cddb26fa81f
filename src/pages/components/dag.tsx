import type { DagLayout, PlacedEdge, PlacedStage } from '../../view/index.ts';
import { Sideways } from './layout.tsx';

const words: Readonly<Record<PlacedStage['decision'], string>> = {
  ran: 'ran',
  reused: 'reused',
  failed: 'failed',
  skipped: 'skipped',
};

/** The stages of a run and what flows between them. A stage is a link to its row in the table of stages. */
export function Dag({
  layout,
  label,
  hrefOf,
}: {
  readonly layout: DagLayout;
  readonly label: string;
  readonly hrefOf: (stage: string) => string;
}) {
  const { width, height, stages, edges } = layout;
  return (
    <Sideways label={label} kind="dag">
      {/* biome-ignore lint/a11y/useSemanticElements: an SVG has no such element, and its links must be found */}
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="group" aria-label={label}>
        <g>
          {edges.map((edge) => (
            <path key={`${edge.from} ${edge.to}`} class="flow" d={curve(edge.points)}>
              <title>{`${edge.from} → ${edge.to}: ${edge.label}`}</title>
            </path>
          ))}
        </g>
        {stages.map((stage) => (
          <StageBox key={stage.id} stage={stage} href={hrefOf(stage.id)} />
        ))}
      </svg>
    </Sideways>
  );
}

function StageBox({ stage, href }: { readonly stage: PlacedStage; readonly href: string }) {
  const { id, uses, decision, x, y, width, height } = stage;
  const [left, top] = [x - width / 2, y - height / 2];
  const detail = uses === id ? words[decision] : `${uses} · ${words[decision]}`;
  return (
    <a href={href} class={`stage ${decision}`}>
      {shortened(id, width) !== id && <title>{id}</title>}
      <rect x={left} y={top} width={width} height={height} rx={8} />
      <text x={x} y={y - 3} text-anchor="middle" class="name">
        {shortened(id, width)}
      </text>
      <text x={x} y={y + 14} text-anchor="middle" class="detail">
        {shortened(detail, width)}
      </text>
    </a>
  );
}

/** What fits a box; the beginning of a stage's name says least, since a sweep puts its point there. */
function shortened(text: string, width: number): string {
  const most = Math.floor((width - 16) / 7.2);
  return text.length <= most ? text : `…${text.slice(1 - most)}`;
}

/** A smooth line through the points of an edge, level with its ends. */
function curve(points: PlacedEdge['points']): string {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  let from = first;
  const pieces = rest.map((to) => {
    const middle = (from.y + to.y) / 2;
    const piece = `C${from.x} ${middle} ${to.x} ${middle} ${to.x} ${to.y}`;
    from = to;
    return piece;
  });
  return `M${first.x} ${first.y}${pieces.join('')}`;
}
