import { UserError } from '../../core/index.ts';

/** A turn to learn, as positions in the rendered conversation. */
export interface Span {
  readonly start: number;
  /** Where its text ends. */
  readonly end: number;
  /** Where everything that belongs to it ends, if known. */
  readonly markedEnd?: number;
}

export type Marks = readonly [begin: string, end: string];

interface RenderOptions {
  /** Whether to add the beginning of the assistant's answer. */
  readonly prompt: boolean;
  /** Written around the text that the template marks as generated. */
  readonly marks?: Marks;
  /** Written around the text of the `textOnly` turns. */
  readonly textMarks?: Marks;
}

export interface RenderedTurns {
  /** The first `count` turns as text. */
  readonly render: (count: number, options: RenderOptions) => string;
  readonly roles: readonly string[];
  /** Indexes of the turns to learn, in order. */
  readonly trained: readonly number[];
  /** Those of them that have text and no tool calls. */
  readonly textOnly: readonly number[];
  /** Two characters that do not occur in the conversation. */
  readonly marks: Marks;
}

interface SpannedText {
  readonly text: string;
  readonly spans: readonly Span[];
}

/**
 * A turn begins where its prompt ends, which has to be a prefix of the conversation, and ends with its text. Marks
 * around the text show where the template writes it. A turn that calls tools ends where the
 * conversation up to that turn ends.
 */
export function spansByText({ render, roles, trained, textOnly, marks }: RenderedTurns): SpannedText {
  const prompt = roles.at(-1) !== 'assistant';
  const text = render(roles.length, { prompt });
  const marked = withoutMarks(render(roles.length, { prompt, textMarks: marks }), marks);
  if (marked.text !== text || marked.spans.length !== textOnly.length) throw unfaithful(roles.length);
  const beginning = (turns: number, options: RenderOptions): string => {
    const begun = turns === 0 ? '' : render(turns, options);
    if (text.startsWith(begun)) return begun;
    throw unfaithful(turns);
  };
  const spans = trained.map((turn): Span => {
    const start = beginning(turn, { prompt: roles[turn] === 'assistant' }).length;
    const span = marked.spans[textOnly.indexOf(turn)];
    const end = span?.end ?? beginning(turn + 1, { prompt: false }).trimEnd().length;
    if (end < start) throw unfaithful(turn);
    return span === undefined ? { start, end, markedEnd: end } : { start, end };
  });
  return { text, spans };
}

/** Where each assistant turn begins and ends, by the template's `{% generation %}`. */
export function spansByMarks({ render, roles, trained, marks }: RenderedTurns): SpannedText {
  const other = roles[trained.find((turn) => roles[turn] !== 'assistant') ?? -1];
  if (other !== undefined)
    throw new UserError({
      code: 'unmarked-role',
      message: `the chat template marks what the assistant writes, but not the turns of \`${other}\`, which \`train_on_roles\` names`,
    });
  const prompt = roles.at(-1) !== 'assistant';
  const { text, spans } = withoutMarks(render(roles.length, { prompt, marks }), marks);
  const assistants = roles.flatMap((role, index) => (role === 'assistant' ? [index] : []));
  if (spans.length !== assistants.length)
    throw new UserError({
      code: 'unfaithful-template',
      message: `the chat template marks ${spans.length} answers with {% generation %} but there are ${assistants.length}`,
    });
  const last = spans.at(-1);
  const answered = roles.at(-1) === 'assistant' && last !== undefined;
  if (answered && text.slice(0, last.start) !== render(roles.length - 1, { prompt: true }))
    throw unfaithful(roles.length - 1);
  const learned = spans.filter((_, index) => trained.includes(assistants[index] ?? -1));
  return { text, spans: learned.map(({ start, end }) => ({ start, end, markedEnd: end })) };
}

function withoutMarks(marked: string, [begin, end]: Marks): SpannedText {
  const spans: Span[] = [];
  let text = '';
  for (const [index, stretch] of marked.split(begin).entries()) {
    const [inside = '', ...after] = stretch.split(end);
    if (index > 0) spans.push({ start: text.length, end: text.length + inside.length });
    text += inside + after.join('');
  }
  return { text, spans };
}

const unfaithful = (turns: number): UserError =>
  new UserError({
    code: 'unfaithful-template',
    message: `the chat template writes the first ${turns} turns differently when more follow, so that the text to learn cannot be found`,
    help: 'write your own template under `template: { chat: ... }`, with {% generation %} ... {% endgeneration %} around what the assistant writes',
  });
