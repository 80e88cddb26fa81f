import { counted } from '../terminal/format-number.ts';
import { labelledText } from '../terminal/labelled-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { GraphStage, GraphView } from './graph-view.ts';

/** A stage a line, after all that it takes: what it takes stands on the left of the arrow, what it gives on the right. */
export function graphText(view: GraphView, terminal: Pick<Terminal, 'columns' | 'colors'>): string {
  const lines = view.stages.map((stage) => ({
    label: stage.id === stage.uses ? stage.id : `${stage.id} (${stage.uses})`,
    text: `${takes(stage, view).join(', ')} → ${stage.outputs.map(given).join(', ')}`.trimStart(),
  }));
  return `${view.pipeline}: ${counted(view.stages.length, 'stage')}\n\n${labelledText(lines, { terminal })}`;
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
