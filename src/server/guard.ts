import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';

/** What lets a browser in. Both are new whenever the server starts. */
export interface Access {
  /**
   * The folder of all addresses. A browser sends cookies to every port of a host, but only below the cookie's path: so no
   * other program's page on this machine is ever sent the token.
   */
  readonly path: string;
  readonly token: string;
}

export const newAccess = (): Access => ({
  path: `/${randomBytes(6).toString('base64url')}/`,
  token: randomBytes(24).toString('base64url'),
});

const cookieName = 'tuneloom-ui';

/** The browser itself holds pages to these, whatever text a model or a row brings onto them. */
const headers: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};

/**
 * Lets a request through only if it names this server as its host (a page that rebinds its own name to 127.0.0.1 does
 * not), comes from no other origin, and brings the token: in the address, which is then exchanged for a cookie, in the
 * cookie, or as a bearer token.
 */
export function guard(access: Access, port: () => number): MiddlewareHandler {
  return async (context, next) => {
    for (const [name, value] of Object.entries(headers)) context.header(name, value);
    const host = context.req.header('host') ?? '';
    if (host !== `127.0.0.1:${port()}` && host !== `localhost:${port()}`)
      return refuse(context, 421, 'This server answers only under 127.0.0.1 and localhost.');
    if (isForeign(context, host))
      return refuse(context, 403, 'A page of another origin cannot use this server.');
    if (!context.req.path.startsWith(access.path)) return refuse(context, 401, withoutToken);
    const given = context.req.query('token');
    if (given !== undefined && context.req.method === 'GET')
      return isEqual(given, access.token) ? logIn(context, access) : refuse(context, 401, withoutToken);
    const [, bearer] = /^Bearer (.+)$/.exec(context.req.header('authorization') ?? '') ?? [];
    const brought = bearer ?? getCookie(context, cookieName) ?? '';
    if (!isEqual(brought, access.token)) return refuse(context, 401, withoutToken);
    return next();
  };
}

const withoutToken =
  'The token is missing or no longer right. Open the address that `tuneloom ui` has printed in its terminal.';

/** Whether a page of another origin, or a frame in one, made the request. Following a link to a page is no use of it. */
function isForeign({ req }: Context, host: string): boolean {
  const origin = req.header('origin');
  if (origin !== undefined && origin !== `http://${host}`) return true;
  const site = req.header('sec-fetch-site');
  const isRead = req.method === 'GET' || req.method === 'HEAD';
  if (site === undefined || site === 'same-origin' || (site === 'none' && isRead)) return false;
  const isLink = req.header('sec-fetch-mode') === 'navigate' && req.header('sec-fetch-dest') === 'document';
  return !(isRead && isLink && !req.path.includes('/api/'));
}

/**
 * Exchanges the token in the address for a cookie that scripts cannot read. The page then goes on by itself: a browser that
 * was led here by another site would not send a strict cookie along with a redirect.
 */
function logIn(context: Context, { path, token }: Access): Response {
  setCookie(context, cookieName, token, { path, httpOnly: true, sameSite: 'Strict' });
  return context.html(
    `<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=${path}"><title>tuneloom</title><a href="${path}">Continue</a></html>`,
  );
}

function refuse(context: Context, status: 401 | 403 | 421, message: string): Response {
  if (context.req.path.includes('/api/'))
    return context.json({ error: { code: 'refused', message } }, status);
  return context.html(
    `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>tuneloom</title><p>${message.replaceAll('`', '')}</p></html>`,
    status,
  );
}

/** In a time that tells nothing about the token. */
const isEqual = (one: string, other: string): boolean => timingSafeEqual(hashOf(one), hashOf(other));
const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest();
