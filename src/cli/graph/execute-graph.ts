import type { CommandCall } from '../commands/command-declaration.ts';
import type { GraphOptions } from '../commands/graph-command.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { openPipeline } from '../pipeline/open-pipeline.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { graphDot } from './graph-dot.ts';
import { graphMermaid } from './graph-mermaid.ts';
import { graphText } from './graph-text.ts';
import { type GraphView, graphView } from './graph-view.ts';

/** `tuneloom graph`: prints the pipeline's stages and what flows between them. */
export async function execute({ words, options, context }: CommandCall<GraphOptions>): Promise<ExitCode> {
  const opened = await openPipeline({ words, options, context, names: 'none' });
  if (!opened) return exitCode.badUsage;
  const view = graphView(opened.dag);
  context.terminal.print(
    options.json ? JSON.stringify(view) : draw(view, { format: options.format, terminal: context.terminal }),
  );
  return exitCode.success;
}

function draw(
  view: GraphView,
  { format, terminal }: { format: GraphOptions['format']; terminal: Terminal },
): string {
  switch (format) {
    case 'text':
      return graphText(view, terminal);
    case 'mermaid':
      return graphMermaid(view);
    case 'dot':
      return graphDot(view);
    default:
      return format satisfies never;
  }
}
