import { portCodecs } from '../../stages/index.ts';
import type { Tokenizer } from '../../text/index.ts';
import { type BatchItem, batchesOf, type Example, namedTexts } from '../../training/index.ts';
import { type TokenRun, tokenRuns } from '../../view/index.ts';
import { UsageError } from '../exit-code.ts';
import { counted } from '../terminal/format-number.ts';
import { safeLine, safeText } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { wrapText } from '../terminal/wrap-text.ts';
import { type Shown, type ShowSource, windowNote } from './shown.ts';

/** One batch as training sees it: trained tokens, masked tokens and padding. */
export async function showBatches({
  path,
  epoch,
  batch,
  tokenizer,
  offset,
  limit,
}: ShowSource): Promise<Shown> {
  const { examples, recipe, vocabulary } = await portCodecs.batches.read(path).read();
  const groups = batchesOf<BatchItem>({ examples, recipe, epoch });
  const group = groups[batch - 1];
  if (group === undefined) {
    throw new UsageError({
      message: `there is no batch ${batch}`,
      help: `epoch ${epoch} has batches 1 to ${groups.length}`,
    });
  }
  const rows = batchRows(group.flatMap(namedTexts));
  const known = await tokenizer(vocabulary);
  const place = `epoch ${epoch}, batch ${batch} of ${groups.length}`;
  return {
    json: { vocabulary, epoch, batch, batches: groups.length, recipe, rows },
    text: (terminal) => {
      const texts = rows
        .slice(offset, limit === undefined ? undefined : offset + limit)
        .map((row) => rowText(row, { terminal, tokenizer: known }));
      const items = limit === undefined ? onOneScreen(texts, terminal) : texts;
      return [
        wrapText(`${place}: ${counted(rows.length, 'row')}, ${counts(rows)}`, { columns: terminal.columns }),
        legend(terminal),
        ...items,
        windowNote({ offset, items, total: rows.length }, 'rows'),
      ]
        .filter((part) => part !== '')
        .join('\n\n');
    },
  };
}

/** The lines of a screen beside the rows: what the batch holds, the legend, the note, the prompt. */
const FURNITURE = 8;
const USUAL_ROWS = 24;

/** The first rows that fit a screen; one in any case. */
function onOneScreen(texts: readonly string[], { rows = USUAL_ROWS }: Terminal): readonly string[] {
  let height = FURNITURE;
  const more = texts.slice(1).findIndex((_, index) => {
    height += (texts[index] ?? '').split('\n').length + 1;
    return height + (texts[index + 1] ?? '').split('\n').length > rows;
  });
  return more < 0 ? texts : texts.slice(0, more + 1);
}

function counts(rows: readonly BatchRow[]): string {
  const tokensOf = (kind: TokenRun['kind']) =>
    rows
      .flatMap(({ runs }) => runs)
      .reduce((sum, run) => sum + (run.kind === kind ? run.tokens.length : 0), 0);
  const padding = rows.reduce((sum, row) => sum + row.padding, 0);
  return `${counted(tokensOf('trained'), 'token')} trained, ${tokensOf('masked')} masked, ${padding} padding`;
}

function legend({ colors }: Terminal): string {
  return colors.isColorSupported
    ? `${colors.green('trained')}  ${colors.dim('masked: read, not learned')}  ${colors.blue('·padding·')}`
    : 'trained  [masked: read, not learned]  ·padding·';
}

function rowText(
  { id, runs, padding }: BatchRow,
  { terminal, tokenizer }: { terminal: Terminal; tokenizer: Tokenizer | undefined },
): string {
  const { colors, columns } = terminal;
  const mark = (kind: TokenRun['kind'], text: string) => {
    // Line by line: a color that spans a line break would color the indent too.
    if (colors.isColorSupported) {
      return text
        .split('\n')
        .map(kind === 'trained' ? colors.green : colors.dim)
        .join('\n');
    }
    return kind === 'trained' ? text : `[${text}]`;
  };
  const text = runs.map(({ kind, tokens }) => mark(kind, decoded(tokens, tokenizer))).join('');
  const tail = padding === 0 ? '' : colors.blue(`·pad×${padding}·`);
  return `${colors.bold(safeLine(id))}\n${wrapText(text + tail, { columns, indent: '  ' })}`;
}

const decoded = (tokens: readonly number[], tokenizer: Tokenizer | undefined): string =>
  tokenizer ? safeText(tokenizer.decode(tokens)) : `${tokens.join(' ')} `;

/** One row of a batch as the loss sees it. */
interface BatchRow {
  readonly id: string;
  /** Runs of adjacent tokens that are all trained, or all masked: read but not learned. */
  readonly runs: readonly TokenRun[];
  /** The number of padding tokens that follow. */
  readonly padding: number;
}

/** Lines up the examples: each row is the first input, then the target of each input. */
export function batchRows(examples: readonly Example[]): readonly BatchRow[] {
  const width = examples.reduce((most, { inputs }) => Math.max(most, inputs.length), 0);
  return examples.map((example) => ({
    id: example.id,
    runs: tokenRuns(example),
    padding: width - example.inputs.length,
  }));
}
