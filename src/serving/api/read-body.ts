import type { Context } from 'hono';
import { type Json, parseExactly } from '../../core/index.ts';
import { ApiError } from './api-error.ts';

/** Deeper than any request that makes sense; each level takes stack where JSON is walked. */
const deepest = 128;

/** The JSON body of a request, with numbers as the client spelled them. */
export async function readBody(context: Context): Promise<Json> {
  if (!/^application\/json\b/i.test(context.req.header('content-type') ?? ''))
    throw new ApiError({ status: 415, message: 'the request is not of the type application/json' });
  const text = await context.req.text();
  if (depthOf(text) > deepest)
    throw new ApiError({
      status: 400,
      message: `the body of the request is nested more than ${deepest} levels deep`,
    });
  try {
    return parseExactly(text) as Json; // what JSON holds
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ApiError({ status: 400, message: `the body of the request is not JSON: ${reason}` });
  }
}

/** How deep lists and objects are nested in a JSON text. */
function depthOf(text: string): number {
  let depth = 0;
  let most = 0;
  let isText = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (isText && character === '\\') index += 1;
    else if (character === '"') isText = !isText;
    else if (!isText && (character === '[' || character === '{')) most = Math.max(most, ++depth);
    else if (!isText && (character === ']' || character === '}')) depth -= 1;
  }
  return most;
}
