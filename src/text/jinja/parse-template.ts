import type { Body, Expression, FilterChain, Signature, Statement } from './nodes.ts';
import { type parseArguments, parseExpression, parseFilter, parseTuple } from './parse-expression.ts';
import { parseTarget } from './parse-target.ts';
import { TokenStream } from './token-stream.ts';
import { normalizedSource, tokenize, type WhiteSpaceRules } from './tokens.ts';

/** Parses a template. Throws a TemplateSyntaxError. */
export function parseTemplate(source: string, rules: WhiteSpaceRules): Body {
  const text = normalizedSource(source, rules);
  const stream = new TokenStream(tokenize(text, rules), text);
  const body = parseBody(stream, [], false);
  return body;
}

/** Statements up to a tag with one of the names `until`, whose name is the next token then. */
function parseBody(stream: TokenStream, until: readonly string[], inLoop: boolean): Body {
  return stream.nested(() => {
    const body: Statement[] = [];
    for (;;) {
      const token = stream.current;
      const { line } = token;
      if (token.type === 'end of template') {
        if (until.length === 0) return body;
        throw stream.error(`unexpected end of template; it lacks {% ${until.at(-1)} %}`);
      }
      stream.next();
      if (token.type === 'text') body.push({ kind: 'text', text: token.value, line });
      else if (token.type === 'begin' && token.value === '{{') {
        const expression = parseTuple(stream);
        const spelled = stream.sourceFrom(token.end);
        stream.expect('end');
        body.push({ kind: 'output', expression, source: spelled, line });
      } else {
        if (stream.isName(...until)) return body;
        body.push(...parseStatement(stream, inLoop));
        stream.expect('end');
      }
    }
  });
}

/** The body of a block, from the end of its first tag to the name of its last. */
function parseBlock(stream: TokenStream, until: readonly string[], inLoop: boolean): Body {
  stream.skipOperator(':');
  stream.expect('end');
  return parseBody(stream, until, inLoop);
}

/** A block without branches. */
function parseSimpleBlock(stream: TokenStream, end: string, inLoop: boolean): Body {
  const body = parseBlock(stream, [end], inLoop);
  stream.next();
  return body;
}

const notSupported = ['block', 'extends', 'include', 'import', 'from'];

function parseStatement(stream: TokenStream, inLoop: boolean): readonly Statement[] {
  const { line } = stream.current;
  const tag = stream.expectName();
  switch (tag) {
    case 'if':
      return [parseIf(stream, { line, inLoop })];
    case 'for':
      return [parseFor(stream, { line, inLoop })];
    case 'set':
      return [parseSet(stream, { line, inLoop })];
    case 'with':
      return [parseWith(stream, { line, inLoop })];
    case 'macro': {
      const name = stream.expectName();
      const { parameters } = parseSignature(stream);
      return [{ kind: 'macro', name, parameters, body: parseSimpleBlock(stream, 'endmacro', false), line }];
    }
    case 'call':
      return [parseCallBlock(stream, line)];
    case 'filter': {
      const filters = parseFilters(stream, true);
      return [{ kind: 'filter block', filters, body: parseSimpleBlock(stream, 'endfilter', inLoop), line }];
    }
    case 'generation':
      return [{ kind: 'generation', body: parseSimpleBlock(stream, 'endgeneration', false), line }];
    case 'break':
    case 'continue':
      if (!inLoop) throw stream.error(`'${tag}' outside loop`, line);
      return [{ kind: tag, line }];
    case 'print':
      return parsePrint(stream, line);
    case 'autoescape':
      throw stream.error('{% autoescape %} is not supported', line);
    default:
      throw stream.error(
        notSupported.includes(tag) ? `{% ${tag} %} is not supported` : `unknown tag '${tag}'`,
        line,
      );
  }
}

interface Place {
  readonly line: number;
  /** Whether a loop is around it, in the same macro. */
  readonly inLoop: boolean;
}

function parseIf(stream: TokenStream, { line, inLoop }: Place): Statement {
  const branches: { condition: Expression; body: Body }[] = [];
  do {
    const condition = parseTuple(stream, { withConditional: false });
    branches.push({ condition, body: parseBlock(stream, ['elif', 'else', 'endif'], inLoop) });
  } while (stream.skipName('elif'));
  const otherwise = stream.next().value === 'else' ? parseSimpleBlock(stream, 'endif', inLoop) : [];
  return { kind: 'if', branches, otherwise, line };
}

function parseFor(stream: TokenStream, { line, inLoop }: Place): Statement {
  const target = parseTarget(stream, { withFields: false });
  stream.expect('name', 'in');
  const iterable = parseTuple(stream, { withConditional: false, until: 'recursive' });
  const condition = stream.skipName('if') ? parseExpression(stream) : undefined;
  const recursive = stream.skipName('recursive');
  const body = parseBlock(stream, ['else', 'endfor'], true);
  const otherwise = stream.next().value === 'else' ? parseSimpleBlock(stream, 'endfor', inLoop) : [];
  return { kind: 'for', target, iterable, condition, recursive, body, otherwise, line };
}

function parseSet(stream: TokenStream, { line, inLoop }: Place): Statement {
  const target = parseTarget(stream, { withFields: true });
  if (stream.skipOperator('=')) return { kind: 'set', target, value: parseTuple(stream), line };
  const filters = parseFilters(stream, false);
  return { kind: 'set block', target, filters, body: parseSimpleBlock(stream, 'endset', inLoop), line };
}

function parseWith(stream: TokenStream, { line, inLoop }: Place): Statement {
  const assignments: { target: ReturnType<typeof parseTarget>; value: Expression }[] = [];
  while (!stream.is('end')) {
    if (assignments.length > 0) stream.expect('operator', ',');
    const target = parseTarget(stream, { withFields: false });
    stream.expect('operator', '=');
    assignments.push({ target, value: parseExpression(stream) });
  }
  return { kind: 'with', assignments, body: parseSimpleBlock(stream, 'endwith', inLoop), line };
}

function parseCallBlock(stream: TokenStream, line: number): Statement {
  const { parameters } = stream.isOperator('(') ? parseSignature(stream) : { parameters: [] };
  const call = parseExpression(stream);
  if (call.kind !== 'call') throw stream.error('expected call', line);
  return { kind: 'call block', call, parameters, body: parseSimpleBlock(stream, 'endcall', false), line };
}

function parsePrint(stream: TokenStream, line: number): readonly Statement[] {
  const outputs: Statement[] = [];
  while (!stream.is('end')) {
    if (outputs.length > 0) stream.expect('operator', ',');
    const { start } = stream.current;
    const expression = parseExpression(stream);
    outputs.push({ kind: 'output', expression, source: stream.sourceFrom(start), line });
  }
  return outputs;
}

function parseSignature(stream: TokenStream): Signature {
  const parameters: { name: string; otherwise: Expression | undefined }[] = [];
  stream.expect('operator', '(');
  while (!stream.isOperator(')')) {
    if (parameters.length > 0) stream.expect('operator', ',');
    const name = stream.expectName();
    const otherwise = stream.skipOperator('=') ? parseExpression(stream) : undefined;
    if (otherwise === undefined && parameters.at(-1)?.otherwise !== undefined)
      throw stream.error('non-default argument follows default argument');
    parameters.push({ name, otherwise });
  }
  stream.next();
  return { parameters };
}

function parseFilters(stream: TokenStream, startsInline: boolean): FilterChain {
  const filters: { name: string; args: ReturnType<typeof parseArguments>; line: number }[] = [];
  const add = (): void => {
    const { line } = stream.current;
    filters.push({ ...parseFilter(stream), line });
  };
  if (startsInline) add();
  while (stream.skipOperator('|')) add();
  return filters;
}
