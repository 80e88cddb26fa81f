import { randomUUID } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { streamSSE } from 'hono/streaming';
import type { Json } from '../../core/index.ts';
import type { ModelHost } from '../model/model-host.ts';
import type { TextJob } from '../model/protocol.ts';
import { type AccessRules, checkAccess } from './access.ts';
import { type AnswerHead, type Answers, begunAnswers } from './answer-events.ts';
import { ApiError } from './api-error.ts';
import { chatAnswer, chatChunks } from './chat-answer.ts';
import { readChatRequest } from './chat-request.ts';
import { completionAnswer, completionChunks } from './completion-answer.ts';
import { readCompletionRequest } from './completion-request.ts';
import { Metrics, type RequestLine } from './metrics.ts';
import { type ApiLimits, ClientLeft, type OpenRequest, OpenRequests } from './open-requests.ts';
import { readBody } from './read-body.ts';

export interface ApiOptions extends AccessRules {
  readonly host: ModelHost;
  /** What clients call the model. */
  readonly name: string;
  /** The names of its adapters, which are models to clients. */
  readonly adapters: readonly string[];
  readonly limits: ApiLimits;
  /** Called when a request to the model has ended. */
  readonly onRequest: (line: RequestLine) => void;
  /** Called with an internal error. */
  readonly onBug: (error: unknown) => void;
}

/** OpenAI's API for one model. */
export interface Api {
  readonly app: Hono;
  readonly requests: OpenRequests;
}

export function openApi(options: ApiOptions): Api {
  const { host, name, limits, onRequest } = options;
  const metrics = new Metrics();
  const requests = new OpenRequests({
    limits,
    isReady: () => host.isReady,
    onEnded: (line) => {
      metrics.count(line);
      onRequest(line);
    },
  });
  const created = inSeconds();
  const models = [name, ...options.adapters].map((id) => ({
    ...{ id, object: 'model', created, owned_by: 'tuneloom' },
    max_model_len: host.served.contextLength,
    ...(id !== name && { parent: name }),
  }));
  const app = new Hono();
  app.onError((error, context) => {
    const told = toldError(error, options.onBug);
    return context.json(told.body, told.status, { ...told.headers });
  });
  app.notFound((context) => {
    const { method, path } = context.req;
    throw new ApiError({ status: 404, message: `there is no ${method} ${path}`, code: 'unknown_url' });
  });
  app.use(checkAccess(options));
  app.get('/health', (context) => {
    const status = requests.isStopping ? 'stopping' : host.isReady ? 'ok' : 'loading';
    return context.json({ status }, status === 'ok' ? 200 : 503);
  });
  app.get('/metrics', (context) => {
    const present = { ...host.load, restarts: host.restarts, ready: host.isReady };
    return context.text(metrics.text(present), 200, {
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
    });
  });
  app.get('/v1/models', (context) => context.json({ object: 'list', data: models }));
  app.get('/v1/models/:name{.+}', (context) => {
    const id = context.req.param('name');
    checkName(id, options);
    return context.json(models.find((model) => model.id === id));
  });
  const limitBody = bodyLimit({
    maxSize: limits.bytes,
    onError: () => {
      const message = `the request has more than ${limits.bytes} bytes`;
      throw new ApiError({ status: 413, message, code: 'request_too_large' });
    },
  });
  const write = <Request extends ModelRequest>(path: string, endpoint: Endpoint<Request>): void => {
    app.post(path, limitBody, async (context) => {
      const request = requests.begin(context);
      try {
        return await respond(context, { ...options, ...endpoint, request });
      } catch (error) {
        request.end(toldError(error, () => {}).status);
        throw error;
      }
    });
  };
  const form = host.served.toolCalls;
  write('/v1/chat/completions', {
    prefix: 'chatcmpl',
    read: (body) => readChatRequest(body, host.served),
    answer: (asked, answers, head) => chatAnswer(asked, answers, { ...head, form }),
    chunks: (asked, answers, head) => chatChunks(asked, answers, { ...head, form }),
  });
  write('/v1/completions', {
    prefix: 'cmpl',
    read: readCompletionRequest,
    answer: completionAnswer,
    chunks: completionChunks,
  });
  return { app, requests };
}

/** A request whose body names the model. */
interface ModelRequest {
  readonly model: string;
  readonly job: Omit<TextJob, 'adapter'>;
  readonly user: string | undefined;
}

/** An endpoint that has the model write. */
interface Endpoint<Request extends ModelRequest> {
  /** Of the ids of its answers. */
  readonly prefix: string;
  readonly read: (body: Json) => Request;
  readonly answer: (request: Request, answers: Answers, head: AnswerHead) => Promise<object>;
  readonly chunks: (request: Request, answers: Answers, head: AnswerHead) => AsyncIterable<object>;
}

/** Has the model write, and sends what it writes: whole, or as events. */
async function respond<Asked extends ModelRequest>(
  context: Context,
  {
    host,
    name,
    adapters,
    onBug,
    prefix,
    read,
    answer,
    chunks,
    request,
  }: ApiOptions & Endpoint<Asked> & { readonly request: OpenRequest },
): Promise<Response> {
  const asked = read(await readBody(context));
  checkName(asked.model, { name, adapters });
  const job = { ...asked.job, adapter: asked.model === name ? undefined : asked.model };
  request.user = asked.user;
  request.stream = asked.job.stream;
  const answers = request.counting(await begunAnswers(host.write(job, request.signal)));
  const head = {
    id: `${prefix}-${randomUUID().replaceAll('-', '')}`,
    created: inSeconds(),
    model: asked.model,
  };
  if (!asked.job.stream) {
    const body = await answer(asked, answers, head);
    request.end(200);
    return context.json(body);
  }
  return streamSSE(context, async (stream) => {
    stream.onAbort(request.leave);
    let status = 200;
    try {
      for await (const chunk of chunks(asked, answers, head))
        await stream.writeSSE({ data: JSON.stringify(chunk) });
      await stream.writeSSE({ data: '[DONE]' });
    } catch (error) {
      // The status has been sent; a client finds the error in the stream.
      const told = toldError(error, onBug);
      status = told.status;
      await stream.writeSSE({ data: JSON.stringify(told.body) });
    } finally {
      request.end(status);
    }
  });
}

const inSeconds = (): number => Math.floor(Date.now() / 1000);

function checkName(given: string, { name, adapters }: Pick<ApiOptions, 'name' | 'adapters'>): void {
  const names = [name, ...adapters];
  if (names.includes(given)) return;
  throw new ApiError({
    status: 404,
    message: `there is no model \`${given.slice(0, 256)}\` here; this server has ${names.map((one) => `\`${one}\``).join(', ')}`,
    param: 'model',
    code: 'model_not_found',
  });
}

/** An error as a client is told. One that is not the client's is ours; its stack goes to `onBug`. */
function toldError(error: unknown, onBug: (error: unknown) => void): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof ClientLeft) return new ApiError({ status: 500, message: 'the client left' });
  onBug(error);
  return new ApiError({ status: 500, message: 'an internal error; the log of the server has it' });
}
