import { useState } from 'preact/hooks';
import { Note } from '../components/layout.tsx';
import { DataText, LongText } from '../components/text.tsx';
import { type RequestError, send } from './api.ts';
import { type Board, BoardTable } from './board-table.tsx';
import { useData, useKeys } from './hooks.ts';
import { Problem } from './parts.tsx';

interface Match {
  readonly file: string;
  readonly index: number;
  readonly total: number;
  readonly voted: number;
  readonly firstOpen: number;
  readonly leftOut: {
    readonly equal: number;
    readonly withoutCounterpart: number;
    readonly otherPrompt: number;
  };
  readonly pair: {
    readonly prompt: string;
    readonly expected: string;
    readonly left: string;
    readonly right: string;
  } | null;
  readonly before: Vote | null;
}

type Vote = 'left' | 'right' | 'tie' | 'both_bad';

const votes: readonly { readonly vote: Vote; readonly text: string; readonly keys: readonly string[] }[] = [
  { vote: 'left', text: 'Left is better', keys: ['ArrowLeft', '1'] },
  { vote: 'tie', text: 'Tie', keys: ['ArrowUp', '2', 't'] },
  { vote: 'both_bad', text: 'Both are bad', keys: ['ArrowDown', '3', 'x'] },
  { vote: 'right', text: 'Right is better', keys: ['ArrowRight', '4'] },
];
const keyNames: Readonly<Record<Vote, string>> = { left: '←', tie: '↑', both_bad: '↓', right: '→' };

interface ArenaOf {
  readonly run: string;
  readonly first: string;
  readonly secondRun: string;
  readonly second: string;
  readonly judge: string;
  readonly seed: number;
}

/** One pair after another, for a person to choose between with the keyboard alone. */
export function Arena(of: ArenaOf) {
  const [index, setIndex] = useState<number | undefined>(undefined);
  const match = useData<Match>('arena', { ...of, index });
  const board = useData<Board>('arena/board', { run: of.run });
  const [error, setError] = useState<RequestError | undefined>(undefined);
  const [said, setSaid] = useState('');
  const [isSaving, setSaving] = useState(false);
  const { data } = match;
  /** Not while the next pair is on its way: the vote would be on another. */
  const isCurrent = data !== undefined && (index === undefined || data.index === index);
  const move = (to: number): void => {
    if (data === undefined) return;
    if (to >= data.total) setSaid('This was the last pair.');
    setIndex(Math.min(data.total - 1, Math.max(0, to)));
  };
  const vote = async (choice: Vote): Promise<void> => {
    if (data === undefined || data.pair === null || isSaving || !isCurrent) return;
    setSaving(true);
    try {
      const names = await send<{ left: string; right: string }>('PUT', 'arena', {
        ...of,
        index: data.index,
        vote: choice,
      });
      setError(undefined);
      setSaid(`Pair ${data.index + 1} is kept. Left was ${names.left}, right was ${names.right}.`);
      board.reload();
      match.reload();
      if (data.index + 1 < data.total) setIndex(data.index + 1);
    } catch (problem) {
      setError(problem as RequestError);
    } finally {
      setSaving(false);
    }
  };
  useKeys({
    ...Object.fromEntries(
      votes.flatMap(({ vote: choice, keys }) => keys.map((key) => [key, () => void vote(choice)])),
    ),
    s: () => move((data?.index ?? 0) + 1),
    b: () => move((data?.index ?? 0) - 1),
  });
  if (data === undefined) return <Problem error={match.error} />;
  const { pair, total, voted } = data;
  return (
    <div class="block judge" aria-busy={isSaving}>
      {pair === null ? (
        <Note>There is no pair to compare.</Note>
      ) : (
        <>
          <div class="row">
            <strong aria-live="polite">
              {data.index + 1} of {total}
            </strong>
            <progress value={voted} max={total} aria-label={`${voted} of ${total} decided`} />
            <span class="soft small">{voted} decided</span>
          </div>
          <article class="card" aria-label="Prompt">
            <h2 class="label">Prompt</h2>
            <LongText text={pair.prompt.trim()} />
            {pair.expected.trim() !== '' && (
              <details>
                <summary class="small">Expected answer</summary>
                <DataText text={pair.expected.trim()} />
              </details>
            )}
          </article>
          <div class="versus">
            {(['left', 'right'] as const).map((side) => (
              <article
                class={`card ${data.before === side ? 'chosen' : ''}`}
                key={side}
                aria-label={`The ${side} answer`}
              >
                <h2 class="label">{side === 'left' ? 'Left' : 'Right'}</h2>
                <LongText text={pair[side]} />
              </article>
            ))}
          </div>
          <fieldset class="votes">
            <legend class="hidden-visually">Which answer is better?</legend>
            {votes.map(({ vote: choice, text }) => (
              <button
                type="button"
                class="button"
                key={choice}
                aria-pressed={data.before === choice}
                onClick={() => void vote(choice)}
              >
                {text} <kbd>{keyNames[choice]}</kbd>
              </button>
            ))}
          </fieldset>
          <div class="row">
            <button
              type="button"
              class="button"
              disabled={data.index + 1 >= total}
              onClick={() => move(data.index + 1)}
            >
              Skip <kbd>s</kbd>
            </button>
            <button
              type="button"
              class="button"
              disabled={data.index === 0}
              onClick={() => move(data.index - 1)}
            >
              Back <kbd>b</kbd>
            </button>
          </div>
          <p class="soft small" role="status">
            {said}
          </p>
        </>
      )}
      <Problem error={error ?? match.error} />
      <LeftOut {...data.leftOut} />
      <BoardTable board={board.data} error={board.error} />
      <p class="soft small">
        Choices are kept in <span class="mono path">{data.file}</span>
      </p>
    </div>
  );
}

function LeftOut({ equal, withoutCounterpart, otherPrompt }: Match['leftOut']) {
  const reasons = [
    ...(equal > 0 ? [`${equal} with equal answers`] : []),
    ...(withoutCounterpart > 0 ? [`${withoutCounterpart} that only one side answered`] : []),
    ...(otherPrompt > 0 ? [`${otherPrompt} with another prompt`] : []),
  ];
  return reasons.length === 0 ? null : <p class="soft small">Left out: {reasons.join(', ')}.</p>;
}
