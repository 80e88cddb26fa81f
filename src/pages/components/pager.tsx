import { useId } from 'preact/hooks';
import { formatCount } from '../../core/index.ts';

/** Goes through pages: one back, one on, the ends, or a number. Nothing for a single page. */
export function Pager({
  label,
  page,
  pages,
  onPage,
}: {
  readonly label: string;
  /** From 0. */
  readonly page: number;
  readonly pages: number;
  readonly onPage: (page: number) => void;
}) {
  const id = useId();
  if (pages < 2) return null;
  const go = (to: number, name: string) => (
    <button
      type="button"
      class="button"
      disabled={to < 0 || to >= pages || to === page}
      onClick={() => onPage(to)}
    >
      {name}
    </button>
  );
  return (
    <nav class="pager" aria-label={label}>
      {go(0, 'First')}
      {go(page - 1, 'Previous')}
      <label class="small" for={id}>
        Page
      </label>
      <input
        id={id}
        class="field page-number"
        type="number"
        min={1}
        max={pages}
        value={page + 1}
        onChange={({ currentTarget }) => {
          const number = Math.round(Number(currentTarget.value));
          onPage(Math.min(pages, Math.max(1, number || 1)) - 1);
        }}
      />
      <span class="soft small">of {formatCount(pages)}</span>
      {go(page + 1, 'Next')}
      {go(pages - 1, 'Last')}
    </nav>
  );
}
