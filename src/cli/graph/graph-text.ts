import { counted } from '../terminal/format-number.ts';
import { renderTable } from '../terminal/table.ts';
import type { GraphStage, GraphView } from './graph-view.ts';

/** A stage a line, after all that it takes: what it takes stands on the left of the arrow, what it gives on the right. */
export function graphText(view: GraphView): string {
  const rows = view.stages.map((stage) => [
    takes(stage, view).join(', '),
    '→',
    stage.id === stage.uses ? stage.id : `${stage.id} (${stage.uses})`,
    '→',
    stage.outputs.map(given).join(', '),
  ]);
  const align = ['right', 'left', 'left', 'left', 'left'] as const;
  return `${view.pipeline}: ${counted(view.stages.length, 'stage')}\n\n${renderTable({ rows, align })}`;
}

function takes({ id }: GraphStage, { edges, stages }: GraphView): readonly string[] {
  return edges
    .filter(({ to }) => to === id)
    .map(({ from, output, part }) => {
      const first = stages.find((stage) => stage.id === from)?.outputs[0]?.name;
      return [from, ...(output === first ? [] : [output]), ...(part === undefined ? [] : [part])].join('.');
    });
}

const given = ({ name, parts }: GraphStage['outputs'][number]): string =>
  parts.length === 0 ? name : `${name} {${parts.join(', ')}}`;
