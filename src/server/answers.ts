import type { Context } from 'hono';
import { hasFields, isObject, type JsonCheck, UserError } from '../core/index.ts';

/** An error that the page shows: what is wrong, and how to fix it. */
export interface ApiError {
  readonly error: { readonly code: string; readonly message: string; readonly help?: string };
}

/** A request for something that is not there. */
export const notFound = (what: string): UserError =>
  new UserError({ code: 'not-found', message: `there is no ${what}` });

/** Answers an error. One that the user cannot fix is named as ours; its stack goes to `onBug`. */
export function answerError(error: unknown, context: Context, onBug: (error: unknown) => void): Response {
  if (error instanceof UserError) {
    const { code, message, help } = error;
    const body: ApiError = { error: { code, message, ...(help === undefined ? {} : { help }) } };
    return context.json(body, code === 'not-found' ? 404 : 400);
  }
  onBug(error);
  const message = error instanceof Error ? error.message : String(error);
  return context.json({ error: { code: 'internal', message } } satisfies ApiError, 500);
}

/** The JSON body of a request, checked field by field. A form of another page cannot send this content type. */
export async function bodyOf<Body extends object>(
  context: Context,
  fields: { readonly [Name in keyof Body]-?: JsonCheck },
): Promise<Body> {
  if (!/^application\/json\b/.test(context.req.header('content-type') ?? ''))
    throw new UserError({ code: 'bad-request', message: 'the request is not of type application/json' });
  const body: unknown = await context.req.json().catch(() => undefined);
  // decode edge: every field has just been checked
  if (isObject(body) && hasFields(fields)(body as never)) return body as unknown as Body;
  throw new UserError({
    code: 'bad-request',
    message: `the request needs ${Object.keys(fields).join(', ')}`,
  });
}

/** A whole number of the address, at least 0. */
export function numberOf(context: Context, name: string, otherwise: number): number {
  const text = context.req.query(name);
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new UserError({
    code: 'bad-request',
    message: `\`${name}\` is ${JSON.stringify(text)}, no whole number`,
  });
}
