import { isObject, type Json, UserError } from '../../core/index.ts';

/**
 * A conversation as evals.prompt.base writes it; a single message is its content alone. An open one ends with
 * `Assistant:` for the model to continue.
 */
export function conversationText(input: readonly Json[], { isOpen }: { readonly isOpen: boolean }): string {
  const turns = input.map(turnOf);
  const [only] = turns;
  if (turns.length === 1 && only) return only.content;
  const lines = turns.map(
    ({ name, content }) => `${name.slice(0, 1).toUpperCase()}${name.slice(1)}: ${content}\n`,
  );
  return `${lines.join('')}${isOpen ? 'Assistant:' : ''}`;
}

function turnOf(turn: Json): { readonly name: string; readonly content: string } {
  if (isObject(turn)) {
    const name = turn.name ?? turn.role;
    if (typeof name === 'string' && typeof turn.content === 'string') return { name, content: turn.content };
  }
  throw new UserError({
    code: 'bad-field',
    message: 'a turn of its `input` lacks the texts `role` and `content`',
  });
}
