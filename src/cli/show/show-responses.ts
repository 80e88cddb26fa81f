import { portCodecs } from '../../stages/ports/port-codecs.ts';
import type { ResponseRecord } from '../../stages/ports/response-record.ts';
import { formatFigure } from '../terminal/format-number.ts';
import { type LabelledLine, labelledText } from '../terminal/labelled-text.ts';
import { safeText } from '../terminal/safe-text.ts';
import type { Shown, ShowSource } from './shown.ts';
import { windowNote, windowOf } from './window.ts';

const DEFAULT_LIMIT = 5;

/** What a model was asked, what was expected and what it gave. */
export async function showResponses({ path, offset, limit = DEFAULT_LIMIT }: ShowSource): Promise<Shown> {
  const window = await windowOf(portCodecs.responses.read(path), { offset, limit });
  return {
    json: window,
    text: (terminal) =>
      [
        ...window.items.map((response) => `${labelledText(linesOf(response), { terminal, indent: '' })}\n`),
        windowNote(window, 'responses'),
      ]
        .join('\n')
        .trimEnd(),
  };
}

function linesOf(record: ResponseRecord): readonly LabelledLine[] {
  const { id, prompt, expected, response, finish_reason, log_likelihood, scored_tokens } = record;
  return [
    { label: 'id', text: safeText(id) },
    { label: 'prompt', text: safeText(prompt.trim()) },
    { label: 'expected', text: safeText(expected.trim()) },
    ...(response === undefined ? [] : [{ label: 'given', text: safeText(response) || '(nothing)' }]),
    ...(finish_reason === 'length' ? [{ label: 'ended', text: 'at the length limit' }] : []),
    ...(log_likelihood === undefined
      ? []
      : [
          {
            label: 'log-likelihood',
            text: `${formatFigure(log_likelihood)} over ${scored_tokens ?? '?'} tokens`,
          },
        ]),
  ];
}
