import { formatCount } from '../../core/index.ts';
import type { BatchRowView, BatchView } from '../../view/index.ts';
import { DataText } from './text.tsx';

/** One batch as the loss sees it: trained tokens are marked by color and by a line below, so that print shows them too. */
export function Batch({ batch }: { readonly batch: BatchView }) {
  const { stage, part, epoch, trained, masked, padding, rows } = batch;
  const name = part === undefined ? stage : `${stage}.${part}`;
  return (
    <div class="block">
      <h3>
        {name}{' '}
        <span class="soft small">
          epoch {epoch}, batch {batch.batch} of {batch.batches}, {rows.length}{' '}
          {rows.length === 1 ? 'row' : 'rows'}
        </span>
      </h3>
      <p class="row small">
        <span>
          <span class="trained">trained</span> {formatCount(trained)} tokens
        </span>
        <span>
          <span class="masked">read, not learned</span> {formatCount(masked)}
        </span>
        <span>
          <span class="padding">padding</span> {formatCount(padding)}
        </span>
      </p>
      <Rows rows={rows.slice(0, SHOWN_ROWS)} label={`Rows of ${name}`} />
      {rows.length > SHOWN_ROWS && (
        <details>
          <summary>{rows.length - SHOWN_ROWS} more rows</summary>
          <div class="details-body">
            <Rows rows={rows.slice(SHOWN_ROWS)} label={`More rows of ${name}`} />
          </div>
        </details>
      )}
    </div>
  );
}

const SHOWN_ROWS = 4;

function Rows({ rows, label }: { readonly rows: readonly BatchRowView[]; readonly label: string }) {
  return (
    <ol class="batch" aria-label={label}>
      {rows.map((row, index) => (
        <Row key={`${index}`} row={row} />
      ))}
    </ol>
  );
}

function Row({ row: { id, runs, padding } }: { readonly row: BatchRowView }) {
  return (
    <li>
      <span class="small soft">
        <DataText text={id} />
      </span>
      <span class="tokens">
        {runs.map(({ kind, text }, index) => (
          <span class={kind} key={`${index}`}>
            <span class="hidden-visually">{kind === 'trained' ? ' trained: ' : ' not learned: '}</span>
            <DataText text={text} />
          </span>
        ))}
        {padding > 0 && <span class="padding">padding × {padding}</span>}
      </span>
    </li>
  );
}
