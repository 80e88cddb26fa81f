import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { type RunningModel, startServing } from '../../serving/index.ts';
import { openChatAdapters } from '../chat/chat-adapters.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { PipelineOptions } from '../commands/options.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { Interruption } from '../interruption.ts';
import { openModel } from '../open-model.ts';
import { safeLine } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { apiKeyOf, withoutKeys } from './api-key.ts';
import { serveLog } from './serve-log.ts';

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
  readonly precision: 'float32' | 'int8' | 'int4';
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
  let server: RunningModel | undefined;
  using interruption = Interruption.listen({
    terminal,
    notice: () => {
      const open = server?.open() ?? 0;
      if (open > 0)
        terminal.complain(
          `Stopping once ${open} open ${open === 1 ? 'answer has' : 'answers have'} ended. Press Ctrl-C again to stop immediately.`,
        );
    },
  });
  const { signal } = interruption;
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
  const log = serveLog(terminal, options);
  server = await startServing({
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
    signal,
    onNote: (note) => log.complain(`note: ${note}`),
    onRestart: (how) => log.complain(`warning: ${how}; it is started again`),
    onRequest: log.request,
    onBug: (error) =>
      terminal.complain(
        `internal error: ${safeLine(error instanceof Error ? (error.stack ?? '') : String(error))}`,
      ),
  }).catch((error: unknown) => {
    if (signal.aborted) return undefined;
    throw error;
  });
  if (server === undefined) return interruption.code;
  const names = [name, ...adapters.map((adapter) => adapter.name)];
  log.serving(server, { names, hasKey: apiKey !== undefined });
  return await serveUntilStopped(server, { signal, terminal });
}

/** Answers until a signal or the end of the model's process; answers that are being written then end first. */
async function serveUntilStopped(
  server: RunningModel,
  { signal, terminal }: { readonly signal: AbortSignal; readonly terminal: Terminal },
): Promise<ExitCode> {
  const stopped = signal.aborted ? Promise.resolve(undefined) : once(signal, 'abort').then(() => undefined);
  const how = await Promise.race([stopped, server.gone]);
  if (how !== undefined) terminal.complain(`error: ${safeLine(how)}`);
  await server.close();
  return how === undefined ? exitCode.success : exitCode.stageFailed;
}
