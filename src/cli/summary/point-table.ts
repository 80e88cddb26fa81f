import type { Json } from '../../json.ts';
import { safeLine } from '../terminal/safe-text.ts';
import { renderTable } from '../terminal/table.ts';
import type { PointScores } from './run-summary.ts';
import { scoreCell } from './score-table.ts';

/** A row a point: the params that the sweep sets, then every metric, with its stage where several stages evaluate. */
export function pointTable(points: readonly PointScores[]): string {
  const names = [...new Set(points.flatMap(({ params }) => Object.keys(params)))].sort();
  const stages = new Set(points.flatMap(({ scores }) => scores.map(({ stage }) => stage)));
  const columns = new Map(
    points.flatMap(({ scores }) =>
      scores.flatMap(({ stage, metrics }) =>
        metrics.map(({ metric }) => [`${stage} ${metric}`, { stage, metric }] as const),
      ),
    ),
  );
  if (columns.size === 0) return '';
  const titles = [...columns.values()].map(({ stage, metric }) =>
    safeLine(stages.size > 1 ? `${stage} ${metric}` : metric),
  );
  const rows = points.map(({ params, scores }) => [
    ...names.map((name) => (Object.hasOwn(params, name) ? safeLine(spell(params[name])) : '')),
    ...[...columns.values()].map(({ stage, metric }) => {
      const own = scores.find((each) => each.stage === stage)?.metrics;
      return scoreCell(own?.find((score) => score.metric === metric));
    }),
  ]);
  const head = [...names.map(safeLine), ...titles];
  return renderTable({
    head,
    rows,
    align: head.map((_, index) => (index < names.length ? 'left' : 'right')),
  });
}

const spell = (value: Json | undefined): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
