import { once } from 'node:events';
import { type RequestOptions, request } from 'node:http';
import { createInterface } from 'node:readline';
import OpenAI from 'openai';
import type { JsonObject } from '../../src/core/json.ts';
import type { CliRig } from '../cli/rig.ts';

/** What answers to `tuneloom serve`, by the client that users have and by requests that no client makes. */
export interface ServeRig extends AsyncDisposable {
  /** Without `/v1`. */
  readonly address: string;
  readonly port: number;
  readonly model: string;
  readonly client: OpenAI;
  /** What the command has printed, a JSON object a line. */
  readonly lines: readonly JsonObject[];
  /** A POST with a JSON body, or with any text. */
  readonly post: (
    path: string,
    body: unknown,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<PlainAnswer>;
  readonly get: (path: string, options?: RequestOptions) => Promise<PlainAnswer>;
  /** Waits until the command has printed so many lines about requests. */
  readonly requests: (count: number) => Promise<readonly JsonObject[]>;
  /** Of the command. */
  readonly pid: number | undefined;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly ended: Promise<{ readonly exitCode: number | undefined; readonly stderr: string }>;
}

export interface PlainAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body, if it is JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests compare it
  readonly body: any;
}

/** Starts `tuneloom serve` in the folder of a rig, on a free port. */
export async function openServe(
  cli: CliRig,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ServeRig> {
  const running = cli.startWith(env, 'serve', ...words, '--json', '--port', '0');
  if (running.stdout === null) throw new Error('the command has no output');
  const lines: JsonObject[] = [];
  const reader = createInterface({ input: running.stdout });
  reader.on('line', (line) => lines.push(JSON.parse(line)));
  await Promise.race([
    once(reader, 'line'),
    running.then(({ stderr, stdout }) => Promise.reject(new Error(`serve ended: ${stderr}${stdout}`))),
  ]);
  const { address, model } = lines[0] as { address: string; model: string };
  const { port } = new URL(address);
  const send = (path: string, options: RequestOptions, body?: string): Promise<PlainAnswer> =>
    new Promise((resolve, reject) => {
      const sent = request(new URL(path, address), { agent: false, ...options }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (piece: string) => {
          text += piece;
        });
        answer.on('end', () => {
          const { statusCode = 0, headers } = answer;
          resolve({ status: statusCode, headers, text, body: parsed(text) });
        });
      });
      sent.on('error', reject);
      sent.end(body);
    });
  return {
    address,
    port: Number(port),
    model,
    lines,
    client: new OpenAI({ baseURL: `${address}/v1`, apiKey: env.TUNELOOM_API_KEY ?? 'none', maxRetries: 0 }),
    get: (path, options = {}) => send(path, options),
    post: (path, body, headers = {}) =>
      send(
        path,
        { method: 'POST', headers: { 'content-type': 'application/json', ...headers } },
        typeof body === 'string' ? body : JSON.stringify(body),
      ),
    requests: async (count) => {
      const found = () => lines.filter(({ event }) => event === 'request');
      while (found().length < count) await once(reader, 'line');
      return found();
    },
    pid: running.pid,
    kill: (signal) => void running.kill(signal),
    ended: running.then(({ exitCode, stderr }) => ({ exitCode, stderr })),
    [Symbol.asyncDispose]: async () => {
      running.kill('SIGKILL');
      await running;
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
