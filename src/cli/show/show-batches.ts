import { portCodecs } from '../../stages/ports/port-codecs.ts';
import type { Tokenizer } from '../../text/tokenizer/tokenizer.ts';
import { exampleGroups } from '../../training/batches/example-groups.ts';
import { counted } from '../terminal/format-number.ts';
import { safeLine, safeText } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { wrapText } from '../terminal/wrap-text.ts';
import { UsageError } from '../usage-error.ts';
import { type BatchRow, batchRows, type TokenRun } from './batch-rows.ts';
import type { Shown, ShowSource } from './shown.ts';

/** One batch as training sees it: what is trained, what is masked and what is padding. */
export async function showBatches({ path, epoch, batch, tokenizer }: ShowSource): Promise<Shown> {
  const { examples, recipe, vocabulary } = await portCodecs.batches.read(path).read();
  const groups = exampleGroups({ examples, recipe, epoch });
  const group = groups[batch - 1];
  if (group === undefined) {
    throw new UsageError({
      message: `there is no batch ${batch}`,
      help: `epoch ${epoch} has batches 1 to ${groups.length}`,
    });
  }
  const rows = batchRows(group);
  const known = await tokenizer(vocabulary);
  const place = `epoch ${epoch}, batch ${batch} of ${groups.length}`;
  return {
    json: { vocabulary, epoch, batch, batches: groups.length, recipe, rows },
    text: (terminal) =>
      [
        `${place}: ${counted(rows.length, 'row')}, ${counts(rows)}`,
        legend(terminal),
        ...rows.map((row) => rowText(row, { terminal, tokenizer: known })),
      ].join('\n\n'),
  };
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
    ? `${colors.green('trained')}  ${colors.dim('masked: read, not learnt')}  ${colors.blue('·padding·')}`
    : 'trained  [masked: read, not learnt]  ·padding·';
}

function rowText(
  { id, runs, padding }: BatchRow,
  { terminal, tokenizer }: { terminal: Terminal; tokenizer: Tokenizer | undefined },
): string {
  const { colors, columns } = terminal;
  const mark = (kind: TokenRun['kind'], text: string) => {
    // Line by line, because a colour that spans a line break would colour the indent too.
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
