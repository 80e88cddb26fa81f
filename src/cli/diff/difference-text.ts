import type { Json } from '../../json.ts';
import { formatFigure } from '../terminal/format-number.ts';
import { labelledText } from '../terminal/labelled-text.ts';
import { safeLine, safeText } from '../terminal/safe-text.ts';
import { shortLine } from '../terminal/short-line.ts';
import { renderTable } from '../terminal/table.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type {
  AnswerChange,
  AnswerChanges,
  FieldChange,
  MetricChange,
  RunDifference,
  StageDifference,
} from './run-difference.ts';

interface Rendering {
  readonly terminal: Terminal;
  /** Answers of each stage that are shown. */
  readonly limit: number;
}

/** Two runs side by side: what was changed, and what came of it. */
export function differenceText(difference: RunDifference, { terminal, limit }: Rendering): string {
  const { before, after, params, stages, metrics, answers } = difference;
  const runs = [before, after].map((run, index) => ({
    label: index === 0 ? 'before' : 'after',
    text: safeLine(`${run.run} of ${run.pipeline}, ${run.outcome}`),
  }));
  const blocks = [
    labelledText(runs, { terminal, indent: '' }),
    params.length === 0 ? '' : `params\n${fieldLines(params, terminal)}`,
    stagesText(stages, terminal),
    metrics.length === 0 ? '' : `metrics\n${metricTable(metrics)}`,
    ...answers.map((changes) => answersText(changes, { terminal, limit })),
  ];
  return blocks.filter((block) => block !== '').join('\n\n');
}

const fieldLines = (fields: readonly FieldChange[], terminal: Terminal): string =>
  fields
    .map(({ field, before, after }) =>
      shortLine(`  ${safeLine(field)}: ${spell(before)} -> ${spell(after)}`, terminal.columns),
    )
    .join('\n');

function spell(value: Json | undefined): string {
  if (value === undefined) return '(absent)';
  const text = safeLine(typeof value === 'string' ? value : JSON.stringify(value));
  return text.replaceAll(/([0-9a-f]{12})[0-9a-f]{52}/g, '$1');
}

function stagesText(stages: readonly StageDifference[], terminal: Terminal): string {
  const lines = stages.filter(({ change }) => change !== 'same').map((stage) => stageText(stage, terminal));
  const same = stages.filter(({ change }) => change === 'same').map(({ stage }) => stage);
  if (lines.length === 0) return 'every stage is the same';
  const rest = same.length === 0 ? [] : [shortLine(`  the same: ${same.join(', ')}`, terminal.columns)];
  return ['stages', ...lines, ...rest].join('\n');
}

function stageText({ stage, change, fields, other_results }: StageDifference, terminal: Terminal): string {
  const verdicts = {
    added: 'only in the later run',
    removed: 'only in the earlier run',
    unknown: 'what it was given is not on record',
    changed: other_results === false ? 'changed, with the same results' : 'changed',
    same: 'the same',
  } as const;
  const inner = fields.length === 0 ? [] : [fieldLines(fields, terminal).replaceAll(/^/gm, '  ')];
  const head = `  ${terminal.colors.bold(safeLine(stage))}: ${verdicts[change]}`;
  return [
    head,
    ...inner.map((text) =>
      text
        .split('\n')
        .map((line) => shortLine(line, terminal.columns))
        .join('\n'),
    ),
  ].join('\n');
}

const metricTable = (metrics: readonly MetricChange[]): string =>
  renderTable({
    head: ['stage', 'metric', 'before', 'after', 'change'],
    rows: metrics.map(({ stage, metric, of, before, after, delta, better }) => [
      safeLine(stage),
      safeLine(of === undefined ? metric : `${metric} ${of}`),
      before === undefined ? '' : formatFigure(before),
      after === undefined ? '' : formatFigure(after),
      delta === undefined ? '' : `${delta > 0 ? '+' : ''}${formatFigure(delta)}${verdictOf(better)}`,
    ]),
    align: ['left', 'left', 'right', 'right', 'left'],
  });

const verdictOf = (better: boolean | undefined): string =>
  better === undefined ? '' : better ? ' better' : ' worse';

function answersText(
  { stage, compared, changed, examples }: AnswerChanges,
  { terminal, limit }: Rendering,
): string {
  const shown = examples.slice(0, limit).map((example) => answerText(example, terminal));
  const which = changed > limit ? `; ${limit} of them, the worst first` : '';
  return [`answers of ${safeLine(stage)}: ${changed} of ${compared} changed${which}`, ...shown].join('\n');
}

function answerText(change: AnswerChange, terminal: Terminal): string {
  const { question, expected, before, after, score_before, score_after } = change;
  const lines = [
    ...(expected === '' ? [] : [{ label: 'expected', text: short(expected) }]),
    { label: 'before', text: rated(before, score_before) },
    { label: 'after', text: rated(after, score_after) },
  ];
  const asked = shortLine(`  ${safeLine(question)}`, terminal.columns);
  return `${asked}\n${labelledText(lines, { terminal, indent: '    ' })}`;
}

const rated = (answer: string, score: number | undefined): string =>
  score === undefined
    ? short(answer)
    : `${short(answer)}  (${Number.isInteger(score) ? score : formatFigure(score)})`;

function short(text: string): string {
  const safe = safeText(text.trim()) || '(nothing)';
  return safe.length > 200 ? `${safe.slice(0, 199)}…` : safe;
}
