import { useState } from 'preact/hooks';
import type { RunOutput } from '../../server/index.ts';
import { type Artifact, ArtifactView } from './artifact-view.tsx';
import { useData } from './hooks.ts';
import { Choice, Labeled, NoRuns, PageHead, Problem, useRunChoice } from './parts.tsx';
import { replaceRoute } from './route.ts';

type Query = Readonly<Record<string, string>>;

const nameOf = ({
  stage,
  output,
  part,
}: Pick<RunOutput, 'stage' | 'output'> & { part?: string | undefined }): string =>
  [stage, output, ...(part === undefined ? [] : [part])].join('.');

const pageSize = 20;

/** What a run made: records, batches, histories, models, answers, scores; a page at a time. */
export function ArtifactsPage({ query }: { readonly query: Query }) {
  const { run, options, outputs = [], error, isEmpty } = useRunChoice(query.run);
  const chosen =
    outputs.find(
      (one) => one.stage === query.stage && one.output === query.output && one.part === query.part,
    ) ??
    outputs.find(({ type }) => type === 'responses') ??
    outputs[0];
  const go = (next: Partial<Pick<RunOutput, 'stage' | 'output' | 'part'>> & { run?: string }): void =>
    replaceRoute('artifacts', { run, ...next });
  if (isEmpty) return <NoRuns />;
  return (
    <>
      <PageHead title="Results">
        <div class="fields">
          <Choice
            label="Run"
            value={run ?? ''}
            options={options}
            onChange={(next) => go({ run: next, ...(chosen && pick(chosen)) })}
          />
          <Choice
            label="Result"
            value={chosen === undefined ? '' : nameOf(chosen)}
            options={outputs.map((one) => ({ value: nameOf(one), text: `${nameOf(one)} (${one.type})` }))}
            onChange={(name) => {
              const next = outputs.find((one) => nameOf(one) === name);
              if (next !== undefined) go(pick(next));
            }}
          />
        </div>
      </PageHead>
      <Problem error={error} />
      {run !== undefined && chosen !== undefined && (
        <Content key={`${run} ${nameOf(chosen)}`} run={run} of={chosen} />
      )}
    </>
  );
}

const pick = ({ stage, output, part }: RunOutput) => ({
  stage,
  output,
  ...(part === undefined ? {} : { part }),
});

function Content({ run, of }: { readonly run: string; readonly of: RunOutput }) {
  const [offset, setOffset] = useState(0);
  const [search, setSearch] = useState('');
  const [epoch, setEpoch] = useState(1);
  const [batch, setBatch] = useState(1);
  const where = { run, ...pick(of) };
  const isBatches = of.type === 'batches';
  const { data, error } = useData<Artifact>('artifact', {
    ...where,
    ...(isBatches ? { epoch, batch } : { offset, limit: pageSize, search }),
  });
  const total = data !== undefined && 'total' in data ? data.total : undefined;
  return (
    <div class="block">
      <div class="tools">
        {['records', 'responses', 'tokens'].includes(of.type) && (
          <>
            <Labeled label="Search">
              <input
                class="field search"
                type="search"
                value={search}
                onInput={(event) => {
                  setSearch(event.currentTarget.value);
                  setOffset(0);
                }}
              />
            </Labeled>
            {total !== undefined && (
              <Pager first={offset} count={pageSize} total={total} onMove={setOffset} noun="rows" />
            )}
          </>
        )}
        {isBatches && data?.type === 'batches' && (
          <>
            <Labeled label="Epoch">
              <input
                class="field short"
                type="number"
                min={1}
                value={epoch}
                onInput={(event) => {
                  setEpoch(Math.max(1, event.currentTarget.valueAsNumber || 1));
                  setBatch(1);
                }}
              />
            </Labeled>
            <Pager
              first={batch - 1}
              count={1}
              total={data.batches}
              onMove={(first) => setBatch(first + 1)}
              noun="batches"
            />
          </>
        )}
      </div>
      <Problem error={error} />
      <div aria-busy={data === undefined}>
        {data !== undefined && <ArtifactView artifact={data} find={search} />}
      </div>
    </div>
  );
}

/** Which of the items are shown, and the way to the others. */
export function Pager({
  first,
  count,
  total,
  onMove,
  noun,
}: {
  readonly first: number;
  readonly count: number;
  readonly total: number;
  readonly onMove: (first: number) => void;
  readonly noun: string;
}) {
  const last = Math.min(total, first + count);
  const range = count === 1 ? `${last}` : `${Math.min(first + 1, last)} to ${last}`;
  return (
    <nav class="pager" aria-label={`Pages of ${noun}`}>
      <button
        type="button"
        class="button"
        disabled={first === 0}
        onClick={() => onMove(Math.max(0, first - count))}
      >
        Previous
      </button>
      <span aria-live="polite">
        {noun} {range} of {total}
      </span>
      <button type="button" class="button" disabled={last >= total} onClick={() => onMove(first + count)}>
        Next
      </button>
    </nav>
  );
}
