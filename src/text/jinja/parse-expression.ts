import type { CallArguments, Expression } from './nodes.ts';
import { expressionParser } from './parse-operators.ts';
import { constants } from './parse-target.ts';
import type { TokenStream } from './token-stream.ts';

/** Jinja's grammar of expressions. */
export const parseExpression = expressionParser((stream) => parseUnary(stream));

function parseUnary(stream: TokenStream, withFilters = true): Expression {
  const { line } = stream.current;
  const operator = stream.skipOperator('-') ? '-' : stream.skipOperator('+') ? '+' : undefined;
  const operand: Expression =
    operator === undefined
      ? parsePrimary(stream)
      : { kind: 'unary', operator, operand: stream.nested(() => parseUnary(stream, false)), line };
  const value = parsePostfix(stream, operand);
  return withFilters ? parseFiltersAndTests(stream, value) : value;
}

function parsePrimary(stream: TokenStream): Expression {
  const token = stream.current;
  const { line } = token;
  if (stream.skipOperator('(')) {
    const inner = parseTuple(stream, { parenthesized: true });
    stream.expect('operator', ')');
    return inner;
  }
  if (stream.skipOperator('[')) return { kind: 'list', items: parseItems(stream, ']'), line };
  if (stream.skipOperator('{')) return { kind: 'dict', entries: parseEntries(stream), line };
  if (token.type === 'integer' || token.type === 'float') {
    stream.next();
    return { kind: 'constant', value: token.value, line };
  }
  if (token.type === 'string') {
    let value = '';
    while (stream.is('string')) value += String(stream.next().value);
    return { kind: 'constant', value, line };
  }
  if (token.type !== 'name') throw stream.unexpected();
  stream.next();
  return Object.hasOwn(constants, token.value)
    ? { kind: 'constant', value: constants[token.value] ?? null, line }
    : { kind: 'name', name: token.value, line };
}

function parseItems(stream: TokenStream, end: string): readonly Expression[] {
  const items: Expression[] = [];
  while (!stream.isOperator(end)) {
    if (items.length > 0) stream.expect('operator', ',');
    if (!stream.isOperator(end)) items.push(parseExpression(stream));
  }
  stream.next();
  return items;
}

function parseEntries(stream: TokenStream): readonly (readonly [Expression, Expression])[] {
  const entries: (readonly [Expression, Expression])[] = [];
  while (!stream.isOperator('}')) {
    if (entries.length > 0) stream.expect('operator', ',');
    if (stream.isOperator('}')) break;
    const key = parseExpression(stream);
    stream.expect('operator', ':');
    entries.push([key, parseExpression(stream)]);
  }
  stream.next();
  return entries;
}

interface TupleOptions {
  readonly withConditional?: boolean;
  /** Only then may it be empty. */
  readonly parenthesized?: boolean;
  /** A name that ends it, besides the end of the tag. */
  readonly until?: string;
}

/** One expression, or a tuple of several with commas between them. */
export function parseTuple(
  stream: TokenStream,
  { withConditional = true, parenthesized = false, until }: TupleOptions = {},
): Expression {
  const { line } = stream.current;
  const items: Expression[] = [];
  let isTuple = false;
  while (!isTupleEnd(stream, until)) {
    items.push(parseExpression(stream, withConditional));
    if (!stream.isOperator(',')) break;
    isTuple = true;
    stream.next();
  }
  const [only] = items;
  if (!isTuple && only !== undefined) return only;
  if (!isTuple && !parenthesized) throw stream.unexpected();
  return { kind: 'tuple', items, line };
}

const isTupleEnd = (stream: TokenStream, until: string | undefined): boolean =>
  stream.is('end') || stream.isOperator(')') || (until !== undefined && stream.isName(until));

function parsePostfix(stream: TokenStream, operand: Expression): Expression {
  let value = operand;
  for (;;) {
    const { line } = stream.current;
    if (stream.skipOperator('.')) value = parseAttribute(stream, value, line);
    else if (stream.skipOperator('[')) value = parseSubscript(stream, value, line);
    else if (stream.isOperator('('))
      value = { kind: 'call', callee: value, args: parseArguments(stream), line };
    else return value;
  }
}

function parseAttribute(stream: TokenStream, object: Expression, line: number): Expression {
  const token = stream.next();
  if (token.type === 'name') return { kind: 'attribute', object, name: token.value, line };
  if (token.type === 'integer')
    return { kind: 'item', object, key: { kind: 'constant', value: token.value, line }, line };
  throw stream.error('expected name or number', token.line);
}

function parseSubscript(stream: TokenStream, object: Expression, line: number): Expression {
  const ends = (): boolean => stream.isOperator(':') || stream.isOperator(']') || stream.isOperator(',');
  const part = (): Expression | undefined => (ends() ? undefined : parseExpression(stream));
  const start = part();
  if (stream.skipOperator(':')) {
    const stop = part();
    const step = stream.skipOperator(':') ? part() : undefined;
    stream.expect('operator', ']');
    return { kind: 'slice', object, start, stop, step, line };
  }
  if (start === undefined) throw stream.unexpected();
  const keys = [start];
  while (stream.skipOperator(',')) keys.push(parseExpression(stream));
  stream.expect('operator', ']');
  return {
    kind: 'item',
    object,
    key: keys.length === 1 ? start : { kind: 'tuple', items: keys, line },
    line,
  };
}

/** The arguments of a call, with their parentheses. */
export function parseArguments(stream: TokenStream): CallArguments {
  const positional: Expression[] = [];
  const named: (readonly [string, Expression])[] = [];
  let list: Expression | undefined;
  let dict: Expression | undefined;
  const { line } = stream.expect('operator', '(');
  for (let first = true; !stream.isOperator(')'); first = false) {
    if (!first) stream.expect('operator', ',');
    if (stream.isOperator(')')) break;
    const late = dict !== undefined || (list !== undefined && !stream.isOperator('**'));
    const isNamed =
      stream.is('name') && stream.following.type === 'operator' && stream.following.value === '=';
    if ((late && !isNamed) || dict !== undefined)
      throw stream.error('invalid syntax for function call expression', line);
    if (stream.skipOperator('*')) list = parseExpression(stream);
    else if (stream.skipOperator('**')) dict = parseExpression(stream);
    else if (isNamed) {
      const name = stream.expectName();
      stream.next();
      named.push([name, parseExpression(stream)]);
    } else if (named.length > 0) throw stream.error('invalid syntax for function call expression', line);
    else positional.push(parseExpression(stream));
  }
  stream.next();
  return { positional, named, list, dict };
}

export const noArguments: CallArguments = { positional: [], named: [], list: undefined, dict: undefined };

function parseFiltersAndTests(stream: TokenStream, operand: Expression): Expression {
  let value = operand;
  for (;;) {
    const { line } = stream.current;
    if (stream.skipOperator('|')) value = { kind: 'filter', input: value, ...parseFilter(stream), line };
    else if (stream.skipName('is')) value = parseTest(stream, value, line);
    else if (stream.isOperator('('))
      value = { kind: 'call', callee: value, args: parseArguments(stream), line };
    else return value;
  }
}

/** A filter's name and arguments. */
export function parseFilter(stream: TokenStream): { readonly name: string; readonly args: CallArguments } {
  const name = dottedName(stream);
  return { name, args: stream.isOperator('(') ? parseArguments(stream) : noArguments };
}

function dottedName(stream: TokenStream): string {
  let name = stream.expectName();
  while (stream.skipOperator('.')) name += `.${stream.expectName()}`;
  return name;
}

function parseTest(stream: TokenStream, input: Expression, line: number): Expression {
  const negated = stream.skipName('not');
  const test: Expression = {
    kind: 'test',
    input,
    name: dottedName(stream),
    args: parseTestArguments(stream),
    line,
  };
  return negated ? { kind: 'unary', operator: 'not', operand: test, line } : test;
}

/** In parentheses, or one value without them. */
function parseTestArguments(stream: TokenStream): CallArguments {
  if (stream.isOperator('(')) return parseArguments(stream);
  const { type } = stream.current;
  const begins =
    type === 'string' ||
    type === 'integer' ||
    type === 'float' ||
    stream.isOperator('[') ||
    stream.isOperator('{');
  if (!begins && (type !== 'name' || stream.isName('else', 'or', 'and'))) return noArguments;
  if (stream.isName('is')) throw stream.error('You cannot chain multiple tests with is');
  return { ...noArguments, positional: [parsePostfix(stream, parsePrimary(stream))] };
}
