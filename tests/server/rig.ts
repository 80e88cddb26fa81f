import { once } from 'node:events';
import { type RequestOptions, request } from 'node:http';
import { createInterface } from 'node:readline';
import type { CliRig } from '../cli/rig.ts';

/** What answers to `tuneloom ui`, with requests that a browser could not make. */
export interface UiRig extends AsyncDisposable {
  readonly cli: CliRig;
  /** With the token. */
  readonly address: string;
  /** Without it; ends in a slash. */
  readonly base: string;
  readonly port: number;
  readonly token: string;
  readonly get: <Answer = Record<string, unknown>>(path: string) => Promise<Answer>;
  readonly send: <Answer = Record<string, unknown>>(
    method: 'POST' | 'PUT',
    path: string,
    body?: object,
  ) => Promise<{ readonly status: number; readonly body: Answer }>;
  /** A request with any headers, such as a false Host. */
  readonly raw: (path: string, options?: RequestOptions & { readonly body?: string }) => Promise<RawAnswer>;
  /** Sends the signal and waits for the exit code. */
  readonly end: (signal?: NodeJS.Signals) => Promise<number | undefined>;
}

export interface RawAnswer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** Starts `tuneloom ui` in the folder of a rig, on a free port. */
export async function openUi(cli: CliRig, ...options: string[]): Promise<UiRig> {
  const running = cli.start('ui', '--json', '--rater', 'ada', ...options);
  if (running.stdout === null) throw new Error('the command has no output');
  const lines = createInterface({ input: running.stdout });
  const [first] = await Promise.race([
    once(lines, 'line'),
    running.then(({ stderr }) => Promise.reject(new Error(`ui ended: ${stderr}`))),
  ]);
  const { address } = JSON.parse(String(first)) as { address: string };
  const url = new URL(address);
  const token = url.searchParams.get('token') ?? '';
  const base = `${url.origin}${url.pathname}`;
  const authorized = { authorization: `Bearer ${token}` };
  const raw: UiRig['raw'] = (path, { body, ...given } = {}) =>
    new Promise((resolve, reject) => {
      const sent = request(new URL(path, base), { agent: false, ...given }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (piece: string) => {
          text += piece;
        });
        answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text }));
      });
      sent.on('error', reject);
      sent.end(body);
    });
  return {
    cli,
    address,
    base,
    port: Number(url.port),
    token,
    raw,
    get: async (path) => {
      const answer = await fetch(new URL(`api/${path}`, base), { headers: authorized });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      return (await answer.json()) as never;
    },
    send: async (method, path, body = {}) => {
      const answer = await fetch(new URL(`api/${path}`, base), {
        method,
        headers: { ...authorized, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return { status: answer.status, body: (await answer.json()) as never };
    },
    end: async (signal = 'SIGINT') => {
      running.kill(signal);
      return (await running).exitCode;
    },
    [Symbol.asyncDispose]: async () => {
      running.kill('SIGKILL');
      await running;
    },
  };
}

/** Text that would act if a page took it for HTML. */
export const hostile = '<img src=x onerror="window.hacked=1"><script>window.hacked=2</script>';

/**
 * A project with a tiny training and two stages that answer the same prompts differently. The answers of `plain` and `loud`
 * come from a command, so that a test knows them.
 */
export const uiProject = {
  'package.json': '{}',
  'rows.jsonl': ['one', 'two', 'three', 'four']
    .map(
      (word) => `${JSON.stringify({ id: word, instruction: `Count ${word}. ${hostile}`, output: word })}\n`,
    )
    .join(''),
  'answer.mjs': `import { readFileSync, writeFileSync } from 'node:fs';
const [from, to, how] = process.argv.slice(2);
const rows = readFileSync(from, 'utf8').trim().split('\\n').map((line) => JSON.parse(line));
writeFileSync(to, rows.map(({ id, segments, fields }) => {
  const prompt = segments.filter(({ role }) => role === 'prompt').map(({ text }) => text).join('');
  const expected = segments.filter(({ role }) => role === 'response').map(({ text }) => text).join('');
  const response = how === 'loud' ? expected.toUpperCase() + ' ${hostile.replaceAll("'", "\\'")}' : expected;
  return JSON.stringify({ id, prompt, expected, fields, response }) + '\\n';
}).join(''));
`,
  'small.yaml': `name: small
params:
  epochs: 2
stages:
  base:
    uses: load
    with: { init: { context_length: 128, width: 8, layers: 1, heads: 1, encoding: r50k_base } }
  load:
    with: { records: rows.jsonl }
  format:
    from: load
    with: { template: { prompt: "{{ instruction }}", response: "{{ output }}" } }
  tokenize:
    from: format
    with: { encoding: r50k_base }
  collate:
    from: tokenize
    with: { batch_size: 2, max_length: 128 }
  train:
    from: { model: base, train: collate, validation: collate }
    with: { epochs: "\${params.epochs}", sample: { max_new_tokens: 0 } }
  plain:
    uses: shell
    from: { prompts: format }
    with:
      command: [node, $FILE_program, $IN_prompts, $OUT_responses, plain]
      files: { program: answer.mjs }
      inputs: { prompts: records }
      outputs: { responses: responses }
  loud:
    uses: shell
    from: { prompts: format }
    with:
      command: [node, $FILE_program, $IN_prompts, $OUT_responses, loud]
      files: { program: answer.mjs }
      inputs: { prompts: records }
      outputs: { responses: responses }
  score:
    uses: evaluate
    from: plain
    with: { metrics: [exact_match] }
`,
};
