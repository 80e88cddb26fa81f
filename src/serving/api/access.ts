import { createHash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { ApiError } from './api-error.ts';

export interface AccessRules {
  /** What every client has to bring; undefined on this machine's own address only. */
  readonly apiKey: string | undefined;
  /** The origins of pages that may use the server from a browser. */
  readonly origins: readonly string[];
}

const ownHost = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

/**
 * Lets a request through only if it brings the key and comes from no page of an origin that was not allowed. Without a
 * key it has to name this machine as its host, which a page that rebinds its own name to 127.0.0.1 does not.
 */
export function checkAccess({ apiKey, origins }: AccessRules): MiddlewareHandler {
  const keyHash = apiKey === undefined ? undefined : hashOf(apiKey);
  return async (context, next) => {
    const { req } = context;
    context.header('x-content-type-options', 'nosniff');
    context.header('cache-control', 'no-store');
    if (keyHash === undefined && !ownHost.test(req.header('host') ?? ''))
      throw new ApiError({
        status: 421,
        message: 'without an API key this server answers as localhost only',
      });
    const origin = req.header('origin');
    if (origin !== undefined && !origins.includes(origin))
      throw new ApiError({
        status: 403,
        message: 'a page of another origin cannot use this server; --allow-origin lets it',
        code: 'foreign_origin',
      });
    if (origin !== undefined) {
      context.header('access-control-allow-origin', origin);
      context.header('vary', 'Origin');
      if (req.method === 'OPTIONS')
        return context.body(null, 204, {
          'access-control-allow-methods': 'GET, POST',
          'access-control-allow-headers':
            req.header('access-control-request-headers') ?? 'authorization, content-type',
          'access-control-max-age': '600',
        });
    }
    if (keyHash === undefined || req.path === '/health') return next();
    const [, given = ''] = /^Bearer +(\S+) *$/i.exec(req.header('authorization') ?? '') ?? [];
    // In a time that tells nothing about the key.
    if (timingSafeEqual(hashOf(given), keyHash)) return next();
    throw new ApiError({
      status: 401,
      message: 'the API key is missing or wrong: send it as `Authorization: Bearer <key>`',
      code: 'invalid_api_key',
    });
  };
}

const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest();
