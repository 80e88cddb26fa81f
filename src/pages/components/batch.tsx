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
      <ol class="batch" aria-label={`Rows of ${name}`}>
        {rows.map((row) => (
          <Row key={row.id} row={row} />
        ))}
      </ol>
    </div>
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
