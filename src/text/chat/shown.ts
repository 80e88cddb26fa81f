import { type Json, UserError } from '../../core/index.ts';
import type { ChatMessage } from './chat-message.ts';
import { type Marks, markedTurns, type Said } from './said.ts';

/** A text of a conversation and where the template writes it. */
export interface ShownText extends Said {
  /** Where it ends in the rendered text, if more than once where it does last; undefined if it is not there. */
  readonly end: number | undefined;
  /** Where it ends first: a result may repeat the name of its call. */
  readonly firstEnd: number | undefined;
}

/** What a rendered conversation shows of what the turns say. */
export interface Shown {
  readonly texts: readonly ShownText[];
  /** Whether the ends are exact; otherwise a text counts as shown if it occurs. */
  readonly isExact: boolean;
}

export type Render = (turns: readonly ChatMessage[], tools: readonly Json[] | undefined) => string;

/**
 * Finds where a template writes each text of a conversation: it renders the texts again with a mark after each. If the
 * marks change what the template writes, as where it compares a name, only contents are marked; and if these change it
 * too, the texts are searched.
 */
export function shownIn(
  text: string,
  {
    turns,
    tools,
    marks,
    render,
  }: {
    readonly turns: readonly ChatMessage[];
    readonly tools: readonly Json[] | undefined;
    readonly marks: Marks | undefined;
    readonly render: Render;
  },
): Shown {
  const marked = marks && markedTurns(turns, tools, marks);
  if (marks === undefined || marked === undefined) return { texts: [], isExact: false };
  const all = positions(text, { marked: attempt(() => render(marked.turns, marked.tools)), marks });
  if (all !== undefined)
    return {
      texts: marked.said.map((said, index) => ({ ...said, ...endsOf(all.get(index)) })),
      isExact: true,
    };
  const contentsOnly = turns.map((turn, index) => ({ ...turn, ...contentOf(marked.turns[index]) }));
  const contents = positions(text, { marked: attempt(() => render(contentsOnly, tools)), marks });
  const isKnown = contents !== undefined;
  return {
    texts: marked.said.map((said, index) => {
      if (said.name === 'content' && isKnown) return { ...said, ...endsOf(contents.get(index)) };
      const from = contentsBefore(said, marked.said).reduce(
        (most, content) => Math.max(most, contents?.get(content)?.at(-1) ?? 0),
        0,
      );
      return { ...said, ...endsOf(foundEnd(text, said, from)) };
    }),
    isExact: isKnown,
  };
}

const endsOf = (places: readonly number[] = []): Pick<ShownText, 'end' | 'firstEnd'> => ({
  end: places.at(-1),
  firstEnd: places[0],
});

/** The indexes of the contents of earlier turns. */
const contentsBefore = ({ turn: own = 0 }: Said, all: readonly Said[]): readonly number[] =>
  all.flatMap(({ name, turn }, index) =>
    name === 'content' && turn !== undefined && turn < own ? [index] : [],
  );

const contentOf = (turn: ChatMessage | undefined) =>
  turn?.content === undefined ? {} : { content: turn.content };

function positions(
  text: string,
  { marked, marks }: { readonly marked: string | undefined; readonly marks: Marks },
): ReadonlyMap<number, readonly number[]> | undefined {
  if (marked === undefined) return undefined;
  const found = marks.takeOut(marked);
  return found.text === text ? found.places : undefined;
}

/** Undefined if the template fails. */
export function attempt<Value>(render: () => Value): Value | undefined {
  try {
    return render();
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** The end of a text that occurs after `from`, as it is or as JSON writes it. */
function foundEnd(text: string, said: Said, from: number): readonly number[] {
  for (const spelling of [said.text, JSON.stringify(said.text).slice(1, -1)]) {
    const start = text.indexOf(spelling, from);
    if (start >= 0) return [start + spelling.length];
  }
  return [];
}
