import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { get, type Query, type RequestError } from './api.ts';

interface Loaded<Answer> {
  /** Undefined until the first answer. An answer stays while the next is on its way. */
  readonly data: Answer | undefined;
  readonly error: RequestError | undefined;
  readonly reload: () => void;
}

/** What the server answers, asked again whenever the question changes. Without a path nothing is asked. */
export function useData<Answer>(path: string | undefined, query: Query = {}): Loaded<Answer> {
  const [state, setState] = useState<Pick<Loaded<Answer>, 'data' | 'error'>>({
    data: undefined,
    error: undefined,
  });
  const [turn, setTurn] = useState(0);
  const question = JSON.stringify([path, query]);
  useEffect(() => {
    if (path === undefined) return setState({ data: undefined, error: undefined });
    let isLatest = true;
    get<Answer>(path, query).then(
      (data) => isLatest && setState({ data, error: undefined }),
      (error: RequestError) => isLatest && setState(({ data }) => ({ data, error })),
    );
    return () => {
      isLatest = false;
    };
  }, [question, turn]);
  return { ...state, reload: useCallback(() => setTurn((one) => one + 1), []) };
}

/** A setting that this browser keeps. */
export function useKept<Value>(name: string, otherwise: Value): [Value, (value: Value) => void] {
  const [value, setValue] = useState<Value>(() => {
    try {
      const kept = localStorage.getItem(`tuneloom.${name}`);
      return kept === null ? otherwise : (JSON.parse(kept) as Value);
    } catch {
      return otherwise;
    }
  });
  const keep = (next: Value): void => {
    setValue(next);
    try {
      localStorage.setItem(`tuneloom.${name}`, JSON.stringify(next));
    } catch {
      // A browser may forbid it; the setting then lasts as long as the page.
    }
  };
  return [value, keep];
}

/** Calls a function for keys that are pressed outside of fields, without Ctrl, Alt or the like. */
export function useKeys(keys: Readonly<Record<string, () => void>>): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
      const { target } = event;
      const isTyping =
        target instanceof HTMLElement &&
        (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.isContentEditable);
      const act = latest.current[event.key];
      if (isTyping || act === undefined) return;
      event.preventDefault();
      act();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
}

/** Calls a function every so often while the page is in view. */
export function useInterval(act: () => void, milliseconds: number | undefined): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    if (milliseconds === undefined) return;
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') latest.current();
    }, milliseconds);
    return () => clearInterval(timer);
  }, [milliseconds]);
}
