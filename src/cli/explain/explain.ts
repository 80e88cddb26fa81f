import type { Json } from '../../core/index.ts';
import {
  describeRun,
  describeWaiting,
  type ExplainedDifference,
  type Explanation,
  explainStage,
  fieldOf,
  positionOf,
} from '../../runtime/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { PipelineOptions } from '../commands/options.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { openPipeline, reportMistakes } from '../open-pipeline.ts';
import { storeOf } from '../open-settings.ts';
import { shortDigests } from '../terminal/format-number.ts';
import { labeledText } from '../terminal/layout.ts';
import { safeLine } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** `tuneloom explain`: shows how a stage differs from its nearest past run. */
export async function explainCommand({
  words,
  options,
  context,
}: CommandCall<PipelineOptions>): Promise<ExitCode> {
  const opened = await openPipeline({ words, options, context, names: 'one' });
  const stage = opened?.names[0];
  if (!opened || stage === undefined) return exitCode.badUsage;
  const store = await storeOf({ file: opened.dag.file, options, context });
  const explained = await explainStage({ dag: opened.dag, store, stage });
  if (!explained.ok)
    return reportMistakes(explained.error, { terminal: context.terminal, json: options.json });
  const view = explanationView(explained.value);
  context.terminal.print(options.json ? JSON.stringify(view) : explanationText(view, context.terminal));
  return exitCode.success;
}

/** A block for each field that differs: its place, its former and its present value. */
function explanationText(view: ExplanationView, terminal: Terminal): string {
  return [verdict(view), ...view.differences.map((difference) => differenceText(difference, terminal))].join(
    '\n',
  );
}

function verdict(view: ExplanationView): string {
  const { stage, decision, reason = '', compared_with, differences } = view;
  switch (decision) {
    case 'reuse':
      return `${stage} would be reused: nothing differs from its past run`;
    case 'undecided':
      if (compared_with === undefined) return `${stage} ${reason}; it has not run before`;
      return differences.length > 0
        ? `${stage} ${reason}; this differs already:`
        : `${stage} ${reason}; its own fields are unchanged`;
    case 'run':
      if (compared_with === undefined || differences.length === 0)
        return `${stage} would run: ${safeLine(reason)}`;
      return `${stage} would run: ${comparison(view)}, this differs:`;
    default:
      return decision satisfies never;
  }
}

/** A stage without past runs is compared with another that uses the same definition. */
function comparison({ stage, reason = '', compared_with }: ExplanationView): string {
  const date = `${compared_with?.started_at.slice(0, 16).replace('T', ' ')} UTC`;
  return compared_with === undefined || compared_with.stage === stage
    ? `compared with ${date}`
    : `${safeLine(reason)}; compared with \`${safeLine(compared_with.stage)}\` of ${date}`;
}

function differenceText(difference: DifferenceView, terminal: Terminal): string {
  const { field, file, line } = difference;
  const place = terminal.colors.dim(`${file}:${line}`);
  const lines = [
    { label: 'was', text: valueText(difference.before) },
    { label: 'is', text: valueText(difference.after) },
  ];
  return `\n  ${terminal.colors.bold(field)}  ${place}\n${labeledText(lines, { terminal, indent: '    ' })}`;
}

/** A field's value on one line, with its digests shortened. */
export function valueText(value: Json | undefined): string {
  if (value === undefined) return '(absent)';
  return shortDigests(safeLine(typeof value === 'string' ? value : JSON.stringify(value)));
}

/** A stage's decision and the reason for it, for people and programs. */
interface ExplanationView {
  readonly stage: string;
  readonly decision: Explanation['decision']['kind'];
  readonly key?: string;
  /** Why it runs if no field differs, or what it waits for. */
  readonly reason?: string;
  readonly compared_with?: { readonly run: string; readonly stage: string; readonly started_at: string };
  readonly differences: readonly DifferenceView[];
}

interface DifferenceView {
  /** `with.optimizer.learning_rate`, `input train`, `version`. */
  readonly field: string;
  readonly kind: ExplainedDifference['kind'];
  readonly before?: Json;
  readonly after?: Json;
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
}

function explanationView({ stage, decision, comparedWith, differences }: Explanation): ExplanationView {
  return {
    stage,
    decision: decision.kind,
    ...because(decision),
    ...(comparedWith && {
      compared_with: {
        run: comparedWith.provenance.run,
        stage: comparedWith.provenance.stage,
        started_at: comparedWith.provenance.startedAt,
      },
    }),
    differences: differences.map(differenceView),
  };
}

function because(decision: Explanation['decision']): Partial<ExplanationView> {
  switch (decision.kind) {
    case 'reuse':
      return { key: decision.key };
    case 'run':
      return { key: decision.key, reason: describeRun(decision) };
    case 'undecided':
      return { reason: describeWaiting(decision) };
    default:
      return decision satisfies never;
  }
}

function differenceView(difference: ExplainedDifference): DifferenceView {
  const { kind, before, after, span } = difference;
  return {
    field: fieldOf(difference),
    kind,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
    file: span.file.displayPath,
    line: positionOf(span.file, span.start).line,
  };
}
