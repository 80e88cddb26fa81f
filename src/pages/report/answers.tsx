import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { formatCount } from '../../core/index.ts';
import type { AnswerFlag, AnswerIndex, AnswerRow, RunColumn } from '../../view/index.ts';
import { AnswerCard } from '../components/answer-card.tsx';
import { Pager } from '../components/pager.tsx';
import { type AnswerSource, openAnswers } from './answer-source.ts';

type NameOf = (column: RunColumn) => string;

/** A table of answers: search, filters and pages. Only the rows of one page are in the document. */
export function Answers({
  index,
  table,
  nameOf,
}: {
  readonly index: AnswerIndex;
  readonly table: number;
  readonly nameOf: NameOf;
}) {
  const [source, setSource] = useState<AnswerSource>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    openAnswers(index, table).then(setSource, (error: Error) => setProblem(error.message));
  }, [index, table]);
  if (problem !== undefined) return <p role="alert">{problem}</p>;
  return source === undefined ? null : <OpenAnswers source={source} table={table} nameOf={nameOf} />;
}

const PAGE_ROWS = 25;

function OpenAnswers({
  source,
  table,
  nameOf,
}: {
  readonly source: AnswerSource;
  readonly table: number;
  readonly nameOf: NameOf;
}) {
  const [find, setFind] = useState('');
  const [wanted, setWanted] = useState<readonly AnswerFlag[]>([]);
  const [page, setPage] = useState(0);
  const { found, share } = useSearch(source, find);
  const bits = source.filters.reduce((sum, { name, bit }) => (wanted.includes(name) ? sum | bit : sum), 0);
  const numbers = matching(source, { bits, found });
  const shown = numbers.slice(page * PAGE_ROWS, (page + 1) * PAGE_ROWS);
  const rows = useRows(source, shown);
  const list = useRef<HTMLOListElement>(null);
  const names = source.columns.map(nameOf);
  const choose = (change: () => void) => {
    change();
    setPage(0);
  };
  return (
    <div class="block">
      <h3>{names.join(' and ')}</h3>
      <search class="tools">
        <Search value={find} onFind={(text) => choose(() => setFind(text))} />
        <Filters
          source={source}
          wanted={wanted}
          onChange={(name) =>
            choose(() =>
              setWanted(wanted.includes(name) ? wanted.filter((each) => each !== name) : [...wanted, name]),
            )
          }
        />
      </search>
      <p class="soft small" role="status">
        {share !== undefined
          ? `Searching: ${Math.round(share * 100)} %`
          : summary(numbers.length, source.count)}
      </p>
      {numbers.length > 0 && (
        <ol
          class="answers"
          ref={list}
          tabIndex={-1}
          start={page * PAGE_ROWS + 1}
          aria-label={`Answers of ${names.join(' and ')}`}
        >
          {rows.map((row) => (
            <AnswerCard key={row.id} row={row} columns={source.columns} names={names} find={find} />
          ))}
        </ol>
      )}
      <Pager
        label={`Pages of answers${table === 0 ? '' : `, table ${table + 1}`}`}
        page={page}
        pages={Math.ceil(numbers.length / PAGE_ROWS)}
        onPage={(next) => {
          setPage(next);
          list.current?.focus({ preventScroll: true });
          list.current?.scrollIntoView({ block: 'start' });
        }}
      />
    </div>
  );
}

const summary = (shown: number, all: number): string =>
  shown === all ? `${formatCount(all)} answers` : `${formatCount(shown)} of ${formatCount(all)} answers`;

function matching(
  { count, flags }: AnswerSource,
  { bits, found }: { readonly bits: number; readonly found: ReadonlySet<number> | undefined },
): readonly number[] {
  const numbers: number[] = [];
  for (let row = 0; row < count; row++)
    if (((flags[row] ?? 0) & bits) === bits && (found === undefined || found.has(row))) numbers.push(row);
  return numbers;
}

/** The rows that have a text, and how much has been searched while a search goes on. */
function useSearch(source: AnswerSource, find: string) {
  const [found, setFound] = useState<ReadonlySet<number>>();
  const [share, setShare] = useState<number>();
  useEffect(() => {
    const stop = new AbortController();
    if (find === '') {
      setFound(undefined);
      setShare(undefined);
      return;
    }
    source.search(find, { signal: stop.signal, progress: setShare }).then((rows) => {
      if (rows === undefined) return;
      setFound(rows);
      setShare(undefined);
    });
    return () => stop.abort();
  }, [source, find]);
  return { found, share };
}

function useRows(source: AnswerSource, numbers: readonly number[]): readonly AnswerRow[] {
  const [rows, setRows] = useState<readonly AnswerRow[]>([]);
  const wanted = numbers.join(' ');
  useEffect(() => {
    let current = true;
    source.rows(wanted === '' ? [] : wanted.split(' ').map(Number)).then((read) => {
      if (current) setRows(read);
    });
    return () => {
      current = false;
    };
  }, [source, wanted]);
  return rows;
}

/** Searches when typing pauses. */
function Search({ value, onFind }: { readonly value: string; readonly onFind: (text: string) => void }) {
  const id = useId();
  const [typed, setTyped] = useState(value);
  useEffect(() => {
    if (typed === value) return;
    const pause = setTimeout(() => onFind(typed), PAUSE_MILLISECONDS);
    return () => clearTimeout(pause);
  }, [typed, value, onFind]);
  return (
    <>
      <label class="hidden-visually" for={id}>
        Search questions and answers
      </label>
      <input
        id={id}
        class="field search"
        type="search"
        placeholder="Search questions and answers"
        value={typed}
        onInput={({ currentTarget }) => setTyped(currentTarget.value)}
      />
    </>
  );
}

const PAUSE_MILLISECONDS = 200;

const filterNames: Readonly<Record<AnswerFlag, string>> = {
  changed: 'only changed',
  wrong: 'only wrong',
  worse: 'only worse',
  better: 'only better',
};

function Filters({
  source,
  wanted,
  onChange,
}: {
  readonly source: AnswerSource;
  readonly wanted: readonly AnswerFlag[];
  readonly onChange: (name: AnswerFlag) => void;
}) {
  return (
    <div class="row">
      {source.filters
        .filter(({ count }) => count > 0)
        .map(({ name, count }) => (
          <label class="check" key={name}>
            <input type="checkbox" checked={wanted.includes(name)} onChange={() => onChange(name)} />
            {filterNames[name]} <span class="soft small">{formatCount(count)}</span>
          </label>
        ))}
    </div>
  );
}
