import { useEffect, useRef, useState } from 'preact/hooks';
import { LongText } from '../components/text.tsx';
import { type RequestError, send } from './api.ts';
import { useData, useKeys } from './hooks.ts';
import { Labeled, Problem } from './parts.tsx';

interface Card {
  readonly file: string;
  readonly index: number;
  readonly total: number;
  readonly rated: number;
  readonly firstOpen: number;
  readonly answer: {
    readonly id: string;
    readonly prompt: string;
    readonly expected: string;
    readonly response: string;
    readonly finishReason?: string;
  };
  readonly before: { readonly score: string; readonly note: string } | null;
}

/** The answers of a stage from the first that the rater has not rated: a score, a note, skip, back. */
export function Review({
  run,
  stage,
  rater,
  scale,
}: {
  run: string;
  stage: string;
  rater: string;
  scale: string;
}) {
  const [index, setIndex] = useState<number | undefined>(undefined);
  const card = useData<Card>('review', { run, stage, rater, index });
  const { data } = card;
  const [score, setScore] = useState('');
  const [note, setNote] = useState('');
  const [error, setError] = useState<RequestError | undefined>(undefined);
  const [said, setSaid] = useState('');
  const [isSaving, setSaving] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const noteField = useRef<HTMLTextAreaElement>(null);
  const [lowest = 0, highest = 100] = scale.split('-').map(Number);
  const shown = data === undefined ? '' : `${data.index} ${data.answer.id}`;
  useEffect(() => {
    setScore(data?.before?.score ?? '');
    setNote(data?.before?.note ?? '');
    setError(undefined);
    field.current?.focus();
    field.current?.select();
  }, [shown]);

  const move = (to: number): void => {
    if (data === undefined) return;
    if (to >= data.total) setSaid('This was the last answer.');
    setIndex(Math.min(data.total - 1, Math.max(0, to)));
  };
  const save = async (given: string): Promise<void> => {
    if (data === undefined || isSaving || !isCurrent(data)) return;
    const value = Number(given.replace(',', '.'));
    if (given.trim() === '' && note.trim() === '') return move(data.index + 1);
    if (given.trim() !== '' && !(value >= lowest && value <= highest))
      return setError({
        name: 'range',
        message: `${given} is not between ${lowest} and ${highest}`,
        help: undefined,
      });
    setSaving(true);
    try {
      const rating = given.trim() === '' ? null : value;
      await send('PUT', 'review', { run, stage, rater, index: data.index, score: rating, note: note.trim() });
      setError(undefined);
      setSaid(rating === null ? 'The note is kept, without a score.' : `${value} is kept.`);
      card.reload();
      if (rating !== null) move(data.index + 1);
    } catch (problem) {
      setError(problem as RequestError);
    } finally {
      setSaving(false);
    }
  };
  /** Not while the next answer is on its way: the rating would be of another. */
  const isCurrent = (one: Card): boolean => index === undefined || one.index === index;
  const acts: Readonly<Record<string, () => void>> = {
    s: () => move((data?.index ?? 0) + 1),
    b: () => move((data?.index ?? 0) - 1),
    n: () => noteField.current?.focus(),
  };
  const digits = Object.fromEntries(
    [...'0123456789'].map((digit) => [digit, () => isShort && rateDigit(digit)]),
  );
  const isShort = highest - lowest < 9;
  const rateDigit = (digit: string): void => {
    if (Number(digit) >= lowest && Number(digit) <= highest) {
      setScore(digit);
      void save(digit);
    }
  };
  useKeys({ ...acts, ...digits });
  if (data === undefined) return <Problem error={card.error} />;
  const { answer } = data;
  return (
    <div class="block judge" aria-busy={isSaving}>
      <div class="row">
        <strong aria-live="polite">
          {data.index + 1} of {data.total}
        </strong>
        <progress value={data.rated} max={data.total} aria-label={`${data.rated} of ${data.total} rated`} />
        <span class="soft small">{data.rated} rated</span>
        {data.rated === data.total && <span class="small">All answers are rated.</span>}
      </div>
      <article class="card" aria-label={`Answer ${data.index + 1}`}>
        <h2 class="label">Prompt</h2>
        <LongText text={answer.prompt.trim()} />
        {answer.expected.trim() !== '' && (
          <>
            <h2 class="label">Expected</h2>
            <LongText text={answer.expected.trim()} />
          </>
        )}
        <h2 class="label">Given{answer.finishReason === 'length' ? ', ended at the length limit' : ''}</h2>
        <div class="given">
          <LongText text={answer.response} />
        </div>
      </article>
      <form
        class="judge-form"
        onSubmit={(event) => {
          event.preventDefault();
          void save(score);
        }}
      >
        {isShort ? (
          <fieldset class="scores">
            <legend>Score</legend>
            {Array.from({ length: highest - lowest + 1 }, (_, step) => `${lowest + step}`).map((value) => (
              <button
                type="button"
                class="button"
                key={value}
                aria-pressed={score === value}
                onClick={() => rateDigit(value)}
              >
                {value}
              </button>
            ))}
          </fieldset>
        ) : (
          <Labeled label={`Score, ${lowest} to ${highest}`}>
            <input
              ref={field}
              class="field short"
              inputMode="decimal"
              autocomplete="off"
              value={score}
              onInput={(event) => setScore(event.currentTarget.value)}
              onKeyDown={(event) => {
                const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : acts[event.key];
                if (act === undefined) return;
                event.preventDefault();
                act();
              }}
            />
          </Labeled>
        )}
        <Labeled label="Note">
          <textarea
            ref={noteField}
            class="field"
            rows={1}
            value={note}
            onInput={(event) => setNote(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === 'Escape') {
                event.currentTarget.blur();
                field.current?.focus();
              }
              if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
              event.preventDefault();
              void save(score);
            }}
          />
        </Labeled>
        <div class="row">
          <button type="submit" class="button primary">
            Save <kbd>Enter</kbd>
          </button>
          <button type="button" class="button" onClick={acts.s} disabled={data.index + 1 >= data.total}>
            Skip <kbd>s</kbd>
          </button>
          <button type="button" class="button" onClick={acts.b} disabled={data.index === 0}>
            Back <kbd>b</kbd>
          </button>
          <span class="soft small">
            <kbd>n</kbd> writes a note{isShort && ', a digit rates'}
          </span>
        </div>
      </form>
      <p class="soft small" role="status">
        {said}
      </p>
      <Problem error={error ?? card.error} />
      <p class="soft small">
        Ratings are kept in <span class="mono path">{data.file}</span>
      </p>
    </div>
  );
}
