import type { BinaryOperator } from './arithmetic.ts';
import type { ComparisonOperator, Expression } from './nodes.ts';
import type { TokenStream } from './token-stream.ts';

type Parser = (stream: TokenStream) => Expression;

/**
 * The parser of all operators between operands that `parseUnary` reads, from the strongest to the weakest. Conditional
 * expressions are the weakest and can be left out.
 */
export function expressionParser(
  parseUnary: Parser,
): (stream: TokenStream, withConditional?: boolean) => Expression {
  const parseProduct = leftToRight(['*', '/', '//', '%'], leftToRight(['**'], parseUnary));
  const parseSum = leftToRight(['+', '-'], (stream) => parseConcat(stream, parseProduct));
  const parseOr = leftToRight(
    ['or'],
    leftToRight(['and'], (stream) => parseNot(stream, parseSum)),
  );
  return (stream, withConditional = true) =>
    stream.nested(() => (withConditional ? parseConditional(stream, parseOr) : parseOr(stream)));
}

/** Operators of equal strength, from left to right. */
const leftToRight =
  (operators: readonly (BinaryOperator | 'and' | 'or')[], parseOperand: Parser): Parser =>
  (stream) => {
    let left = parseOperand(stream);
    for (;;) {
      const { line, value, type } = stream.current;
      const operator = operators.find((one) => one === value);
      if (operator === undefined || (type !== 'operator' && type !== 'name')) return left;
      stream.next();
      left = { kind: 'binary', operator, left, right: parseOperand(stream), line };
    }
  };

function parseConcat(stream: TokenStream, parseOperand: Parser): Expression {
  const { line } = stream.current;
  const first = parseOperand(stream);
  if (!stream.isOperator('~')) return first;
  const parts = [first];
  while (stream.skipOperator('~')) parts.push(parseOperand(stream));
  return { kind: 'concat', parts, line };
}

const comparisons: readonly ComparisonOperator[] = ['==', '!=', '<', '<=', '>', '>='];

function parseCompare(stream: TokenStream, parseOperand: Parser): Expression {
  const { line } = stream.current;
  const first = parseOperand(stream);
  const others: { operator: ComparisonOperator; operand: Expression }[] = [];
  for (;;) {
    const operator = comparisonAt(stream);
    if (operator === undefined) break;
    others.push({ operator, operand: parseOperand(stream) });
  }
  return others.length === 0 ? first : { kind: 'compare', first, others, line };
}

function comparisonAt(stream: TokenStream): ComparisonOperator | undefined {
  if (stream.skipName('in')) return 'in';
  if (stream.isName('not') && stream.following.type === 'name' && stream.following.value === 'in') {
    stream.next();
    stream.next();
    return 'not in';
  }
  const operator = comparisons.find((one) => stream.isOperator(one));
  if (operator !== undefined) stream.next();
  return operator;
}

function parseNot(stream: TokenStream, parseOperand: Parser): Expression {
  const { line } = stream.current;
  if (!stream.skipName('not')) return parseCompare(stream, parseOperand);
  return {
    kind: 'unary',
    operator: 'not',
    operand: stream.nested(() => parseNot(stream, parseOperand)),
    line,
  };
}

function parseConditional(stream: TokenStream, parseOr: Parser): Expression {
  const { line } = stream.current;
  let yes = parseOr(stream);
  while (stream.skipName('if')) {
    const condition = parseOr(stream);
    const no = stream.skipName('else') ? stream.nested(() => parseConditional(stream, parseOr)) : undefined;
    yes = { kind: 'conditional', condition, yes, no, line };
  }
  return yes;
}
