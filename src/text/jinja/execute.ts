import { isTrue } from './comparison.ts';
import { applyFilters, argumentsOf, call, evaluate } from './evaluate.ts';
import { growText } from './growth.ts';
import { Loop } from './loop.ts';
import type { Body, Signature, Statement, Target } from './nodes.ts';
import { PythonError, typeError, valueError } from './python-error.ts';
import { textOf } from './python-text.ts';
import { capture, type Rendering, Scope } from './scope.ts';
import { iterate, listOf } from './sequences.ts';
import { type Args, Callable, Dict, Namespace, Tuple, Undefined, type Value } from './values.ts';

/** Python's stack ends at about as many macros within macros. */
const deepest = 200;

/** How a body ended before its end. */
type Ending = 'break' | 'continue' | undefined;

interface Frame {
  readonly scope: Scope;
  readonly rendering: Rendering;
}

/** Writes a body's statements. */
export function execute(body: Body, frame: Frame): Ending {
  for (const statement of body) {
    const ending = executeOne(statement, frame);
    if (ending !== undefined) return ending;
  }
  return undefined;
}

function executeOne(statement: Statement, frame: Frame): Ending {
  const { scope, rendering } = frame;
  switch (statement.kind) {
    case 'text':
      write(statement.text, rendering);
      return undefined;
    case 'output': {
      const text = within(statement, () => {
        const value = evaluate(statement.expression, scope);
        const isMissing = value === null || value instanceof Undefined;
        if (rendering.noValue !== undefined && isMissing) return rendering.noValue(statement.source);
        return textOf(value);
      });
      write(text, rendering);
      return undefined;
    }
    case 'if': {
      const taken = statement.branches.find(({ condition }) => isTrue(evaluate(condition, scope)));
      return execute(taken === undefined ? statement.otherwise : taken.body, frame);
    }
    case 'for':
      return executeFor(statement, frame);
    case 'set':
      placed(statement.line, () => assign(statement.target, evaluate(statement.value, scope), scope));
      return undefined;
    case 'set block': {
      const text = captured(statement.body, frame);
      placed(statement.line, () =>
        assign(statement.target, applyFilters(text, statement.filters, scope), scope),
      );
      return undefined;
    }
    case 'with': {
      const inner = new Scope(scope);
      const values = statement.assignments.map(({ target, value }) => ({
        target,
        value: evaluate(value, scope),
      }));
      placed(statement.line, () => {
        for (const { target, value } of values) assign(target, value, inner);
      });
      return execute(statement.body, { ...frame, scope: inner });
    }
    case 'macro':
      scope.set(statement.name, macro(statement.name, statement, frame));
      return undefined;
    case 'call block': {
      const { callee, args } = statement.call;
      const own = argumentsOf(args, scope);
      const named = new Map([...own.named, ['caller', macro('caller', statement, frame)] as const]);
      const value = placed(statement.line, () => call(evaluate(callee, scope), { ...own, named }));
      write(textOf(value), rendering);
      return undefined;
    }
    case 'filter block': {
      const text = captured(statement.body, frame);
      write(
        placed(statement.line, () => textOf(applyFilters(text, statement.filters, scope))),
        rendering,
      );
      return undefined;
    }
    case 'generation': {
      const { output } = rendering;
      const start = output.position;
      const before = output.length;
      execute(statement.body, { ...frame, scope: new Scope(scope) });
      rendering.generated.push({ start, text: output.since(before) });
      return undefined;
    }
    case 'break':
    case 'continue':
      return statement.kind;
  }
}

function write(text: string, { output }: Rendering): void {
  growText(text.length);
  output.write(text);
}

function within<Result>({ line, source }: { line: number; source: string }, work: () => Result): Result {
  try {
    return placed(line, work);
  } catch (error) {
    if (error instanceof PythonError) error.within ??= source;
    throw error;
  }
}

/** Gives errors that have no line this one. */
function placed<Result>(line: number, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof PythonError) error.line ??= line;
    throw error;
  }
}

/** The text of a block that is used as a value. Its variables are its own. */
function captured(body: Body, frame: Frame): string {
  return capture(frame.rendering, () => {
    execute(body, { ...frame, scope: new Scope(frame.scope) });
  });
}

function assign(target: Target, value: Value, scope: Scope): void {
  if (target.kind === 'name') scope.set(target.name, value);
  else if (target.kind === 'field') {
    const namespace = scope.get(target.namespace);
    if (!(namespace instanceof Namespace))
      throw new PythonError('RuntimeError', 'cannot assign attribute on non-namespace object');
    namespace.fields.set(target.name, value);
  } else {
    const values = [...iterate(value)];
    const wanted = target.targets.length;
    if (values.length > wanted) throw valueError(`too many values to unpack (expected ${wanted})`);
    if (values.length < wanted)
      throw valueError(`not enough values to unpack (expected ${wanted}, got ${values.length})`);
    for (const [index, one] of target.targets.entries()) assign(one, values[index] ?? null, scope);
  }
}

type ForLoop = Extract<Statement, { kind: 'for' }>;

function executeFor(loop: ForLoop, frame: Frame): Ending {
  return runLoop(loop, { frame, iterable: evaluate(loop.iterable, frame.scope), depth: 0 });
}

function runLoop(
  loop: ForLoop,
  { frame, iterable, depth }: { frame: Frame; iterable: Value; depth: number },
): undefined {
  const { scope } = frame;
  const { target, condition } = loop;
  const all = placed(loop.line, () =>
    scope.strict && iterable instanceof Undefined ? iterable.fail() : listOf(iterable),
  );
  const items =
    condition === undefined
      ? all
      : all.filter((item) => {
          const own = new Scope(scope);
          placed(loop.line, () => assign(target, item, own));
          return isTrue(evaluate(condition, own));
        });
  const recurse = (inner: Value): string =>
    deeper(frame.rendering, () => runLoop(loop, { frame, iterable: inner, depth: depth + 1 }));
  const variable = new Loop(items, { depth, recurse: loop.recursive ? recurse : undefined });
  for (let item = variable.next(); item !== undefined; item = variable.next()) {
    const inner = new Scope(scope);
    const value = item;
    inner.set('loop', variable);
    placed(loop.line, () => assign(target, value, inner));
    if (execute(loop.body, { ...frame, scope: inner }) === 'break') break;
  }
  if (items.length === 0) execute(loop.otherwise, { ...frame, scope: new Scope(scope) });
  return undefined;
}

/** The text of a macro or loop that may call itself. */
function deeper(rendering: Rendering, work: () => void): string {
  if (rendering.depth >= deepest)
    throw new PythonError('Limit', `macros call each other more than ${deepest} levels deep`);
  rendering.depth++;
  const text = capture(rendering, work);
  rendering.depth--;
  return text;
}

/** A macro, whose variables are those where it is defined. Its defaults are evaluated when it is called. */
function macro(name: string, { parameters, body }: Signature & { body: Body }, frame: Frame): Callable {
  const names = parameters.map((parameter) => parameter.name);
  const mentioned = new Set(namesIn(body));
  const run = (args: Args): Value => {
    const scope = new Scope(frame.scope);
    const rest = new Map(args.named);
    for (const [index, parameter] of parameters.entries()) {
      const given = index < args.positional.length ? args.positional[index] : rest.get(parameter.name);
      if (index >= args.positional.length) rest.delete(parameter.name);
      if (given !== undefined) scope.set(parameter.name, given);
      else if (parameter.otherwise !== undefined)
        scope.set(parameter.name, evaluate(parameter.otherwise, scope));
      else scope.set(parameter.name, new Undefined(`parameter '${parameter.name}' was not provided`));
    }
    if (mentioned.has('caller') && !names.includes('caller')) {
      scope.set('caller', rest.get('caller') ?? new Undefined('No caller defined'));
      rest.delete('caller');
    }
    const extra = args.positional.slice(names.length);
    if (mentioned.has('kwargs')) scope.set('kwargs', new Dict(rest));
    else
      for (const unexpected of rest.keys())
        throw typeError(`macro '${name}' takes no keyword argument '${unexpected}'`);
    if (mentioned.has('varargs')) scope.set('varargs', new Tuple(extra));
    else if (extra.length > 0)
      throw typeError(`macro '${name}' takes not more than ${names.length} argument(s)`);
    return deeper(frame.rendering, () => execute(body, { ...frame, scope }));
  };
  return new Callable(name, run, 'Macro');
}

/** The names that occur in a body. */
function* namesIn(part: unknown): Iterable<string> {
  if (typeof part !== 'object' || part === null) return;
  if ('kind' in part && part.kind === 'name' && 'name' in part) yield String(part.name);
  for (const child of Object.values(part)) yield* namesIn(child);
}
