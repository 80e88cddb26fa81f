import type { Json } from '../../json.ts';
import { labelledText } from '../terminal/labelled-text.ts';
import { safeLine } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { DifferenceView, ExplanationView } from './explanation-view.ts';

/** One block a differing field: where it stands, what it was and what it is. */
export function explanationText(view: ExplanationView, terminal: Terminal): string {
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
        : `${stage} ${reason}; its own fields are what they were`;
    case 'run':
      if (compared_with === undefined || differences.length === 0)
        return `${stage} would run: ${safeLine(reason)}`;
      return `${stage} would run: ${comparison(view)}, this differs:`;
    default:
      return decision satisfies never;
  }
}

/** A stage without a past of its own is compared with another that uses the same. */
function comparison({ stage, reason = '', compared_with }: ExplanationView): string {
  const date = `${compared_with?.started_at.slice(0, 16).replace('T', ' ')} UTC`;
  return compared_with === undefined || compared_with.stage === stage
    ? `compared with ${date}`
    : `${safeLine(reason)}; compared with \`${safeLine(compared_with.stage)}\` of ${date}`;
}

function differenceText(difference: DifferenceView, terminal: Terminal): string {
  const { field, file, line, kind } = difference;
  const place = terminal.colors.dim(`${file}:${line}`);
  const lines = [
    { label: 'was', text: spell(difference.before, kind) },
    { label: 'is', text: spell(difference.after, kind) },
  ];
  return `\n  ${terminal.colors.bold(field)}  ${place}\n${labelledText(lines, { terminal, indent: '    ' })}`;
}

function spell(value: Json | undefined, kind: DifferenceView['kind']): string {
  if (value === undefined) return '(absent)';
  const text = safeLine(typeof value === 'string' ? value : JSON.stringify(value));
  return kind === 'version' || kind === 'uses' ? text : shortDigest(text);
}

/** Enough of a digest to tell two apart. */
const shortDigest = (digest: string): string => digest.replace(/([0-9a-f]{12})[0-9a-f]{52}/, '$1');
