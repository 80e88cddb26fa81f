import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { formatDuration } from '../../core/index.ts';
import type { RequestLine, RunningModel } from '../../serving/index.ts';
import { startServing } from '../../serving/index.ts';
import { openChatAdapters } from '../chat/chat-adapters.ts';
import type { CommandCall, CommandContext } from '../commands/command-declaration.ts';
import type { PipelineOptions } from '../commands/options.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { Interruption } from '../interruption.ts';
import { openModel } from '../open-model.ts';
import { safeLine } from '../terminal/safe-text.ts';

export interface ServeOptions extends PipelineOptions {
  readonly name?: string;
  readonly adapter?: readonly string[];
  readonly template?: string;
  readonly host: string;
  readonly port: number;
  readonly apiKeyFile?: string;
  readonly allowOrigin?: readonly string[];
  readonly batchSize: number;
  readonly contextLength?: number;
  readonly precision: 'float32' | 'int8';
  readonly backend?: string;
  readonly maxRequests: number;
  readonly timeout: number;
  readonly maxBody: number;
  readonly verbose?: boolean;
}

/** `tuneloom serve`: OpenAI's API for a model, until it is stopped. */
export async function serveCommand(call: CommandCall<ServeOptions>): Promise<ExitCode> {
  const { options, context } = call;
  const { terminal, stageProcess } = context;
  const apiKey = await apiKeyOf(options, context);
  if (apiKey === undefined && !isLoopback(options.host))
    throw new UsageError({
      message: `other machines can reach ${options.host}, and there is no API key`,
      help: `set ${keyVariable}, or name a file that holds the key with --api-key-file`,
    });
  await using model = await openModel(call, { command: 'serve', use: 'be served' });
  if (model === undefined) return exitCode.badUsage;
  await using added = await openChatAdapters(call, options.adapter ?? []);
  if (added === undefined) return exitCode.badUsage;
  const { adapters } = added;
  const name = options.name ?? model.name;
  if (adapters.some((adapter) => adapter.name === name))
    throw new UsageError({
      message: `the model and an adapter have the name \`${name}\``,
      help: 'give the adapter another, as in --adapter tuned=./adapter, or the model one with --name',
    });
  const log = logOf(options, context);
  const server = await startServing({
    model: {
      folder: model.folder,
      adapters,
      template: options.template ?? model.template,
      batchSize: options.batchSize,
      contextLength: options.contextLength,
      precision: options.precision,
      backend: options.backend,
    },
    script: join(dirname(stageProcess), 'model-process.js'),
    environment: withoutKeys(context.environment),
    name,
    apiKey,
    origins: options.allowOrigin ?? [],
    limits: { requests: options.maxRequests, seconds: options.timeout, bytes: options.maxBody },
    hostname: options.host,
    port: options.port,
    onNote: (note) => log.complain(`note: ${note}`),
    onRestart: (how) => log.complain(`warning: ${how}; it is started again`),
    onRequest: log.request,
    onBug: (error) =>
      terminal.complain(
        `internal error: ${safeLine(error instanceof Error ? (error.stack ?? '') : String(error))}`,
      ),
  });
  const names = [name, ...adapters.map((adapter) => adapter.name)];
  log.serving(server, { names, hasKey: apiKey !== undefined });
  return serveUntilStopped(server, context);
}

/** Answers until a signal or the end of the model's process; answers that are being written then end first. */
async function serveUntilStopped(server: RunningModel, { terminal }: CommandContext): Promise<ExitCode> {
  using interruption = Interruption.listen({
    terminal,
    notice: () => {
      const open = server.open();
      if (open > 0)
        terminal.complain(
          `Stopping once ${open} open ${open === 1 ? 'answer has' : 'answers have'} ended. Press Ctrl-C again to stop immediately.`,
        );
    },
  });
  const { signal } = interruption;
  const stopped = signal.aborted ? Promise.resolve(undefined) : once(signal, 'abort').then(() => undefined);
  const how = await Promise.race([stopped, server.gone]);
  if (how !== undefined) terminal.complain(`error: ${safeLine(how)}`);
  await server.close();
  return how === undefined ? exitCode.success : exitCode.stageFailed;
}

const keyVariable = 'TUNELOOM_API_KEY';

/** The key that clients have to bring, from a file or the environment: a command line is seen by other users. */
async function apiKeyOf(
  { apiKeyFile }: ServeOptions,
  { environment, workingDirectory }: CommandContext,
): Promise<string | undefined> {
  const key =
    apiKeyFile === undefined
      ? environment[keyVariable] || undefined
      : (await readKeyFile(resolve(workingDirectory, apiKeyFile))).trim();
  if (key === undefined || /^[\x21-\x7e]{8,512}$/.test(key)) return key;
  throw new UsageError({
    message: `${apiKeyFile === undefined ? keyVariable : apiKeyFile} holds no usable API key`,
    help: 'a key is 8 to 512 printable ASCII characters without white space, such as `openssl rand -hex 32` prints',
  });
}

async function readKeyFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    throw new UsageError({ message: `${path} cannot be read`, help: 'name a file that holds the API key' });
  }
}

const isLoopback = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|::1)$/i.test(host);

/** The model's process needs none of our secrets. */
function withoutKeys(environment: CommandContext['environment']): NodeJS.ProcessEnv {
  const secret = [keyVariable, 'OPENAI_API_KEY', 'HF_TOKEN', 'TUNELOOM_SIGNING_KEY'];
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !secret.includes(name)));
}

interface ServeLog {
  readonly serving: (
    server: RunningModel,
    about: { readonly names: readonly string[]; readonly hasKey: boolean },
  ) => void;
  readonly request: (line: RequestLine) => void;
  readonly complain: (text: string) => void;
}

/** What the terminal shows: the address, and with --verbose or --json a line for each request. Never what is in one. */
function logOf({ json, verbose }: ServeOptions, { terminal }: CommandContext): ServeLog {
  if (json)
    return {
      serving: ({ address, served }, { names: [model, ...adapters] }) =>
        terminal.print(
          JSON.stringify({
            event: 'serving',
            address,
            model,
            ...(adapters.length > 0 && { adapters }),
            context_length: served.contextLength,
            backend: served.backend,
          }),
        ),
      request: ({ promptTokens, completionTokens, ...line }) =>
        terminal.print(
          JSON.stringify({
            event: 'request',
            ...line,
            prompt_tokens: promptTokens,
            completion_tokens: completionTokens,
          }),
        ),
      complain: (text) => terminal.complain(text),
    };
  const { bold, dim } = terminal.colors;
  return {
    serving: ({ address, served }, { names, hasKey }) =>
      terminal.print(
        [
          `Serving ${names.map((name) => bold(safeLine(name))).join(', ')} at ${bold(`${address}/v1`)}`,
          dim(
            `  ${served.backend}, texts of up to ${served.contextLength} tokens, ${hasKey ? 'with an API key' : 'without an API key'}`,
          ),
          ...(served.noChat === undefined ? [] : [dim(`  completions only: ${safeLine(served.noChat)}`)]),
          'Ctrl-C ends it.',
        ].join('\n'),
      ),
    request: (line) => {
      if (verbose) terminal.print(lineText(line));
    },
    complain: (text) => terminal.complain(safeLine(text)),
  };
}

function lineText({
  method,
  path,
  status,
  stream,
  promptTokens,
  completionTokens,
  milliseconds,
  user,
}: RequestLine) {
  const tokens = `${promptTokens} + ${completionTokens} tokens`;
  const by = user === undefined ? '' : `, ${safeLine(user.slice(0, 64))}`;
  const time = new Date().toTimeString().slice(0, 8);
  return `${time} ${status} ${method} ${safeLine(path)}${stream ? ' (stream)' : ''}: ${tokens}, ${formatDuration(milliseconds)}${by}`;
}
