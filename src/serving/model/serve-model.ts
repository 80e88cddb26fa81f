import process from 'node:process';
import { UserError } from '../../core/index.ts';
import { checkGenerationMemory, quantizeWeights, readModelConfig } from '../../model/index.ts';
import { expectedMemory, type LocalModel, openLocalModel, withAdapter } from '../../stages/index.ts';
import { Engine } from './engine.ts';
import { openPromptReader } from './prompt-reader.ts';
import type { ModelAnswer, ModelRequest, ModelToServe } from './protocol.ts';

/**
 * Writes answers for the parent process, which speaks HTTP. The model is in a process of its own, so that clients are
 * answered while it computes, and so that it cannot take the server down with it.
 */
export function serveModel(): void {
  let engine: Engine | undefined;
  const send = (answer: ModelAnswer): void => void process.send?.(answer);
  process.on('message', (request: ModelRequest) => {
    switch (request.type) {
      case 'open':
        openEngine(request.model, send).then(
          (opened) => {
            engine = opened;
            void opened.run();
          },
          (error: unknown) => send({ type: 'unusable', ...problemOf(error) }),
        );
        return;
      case 'write':
        return engine?.write(request.id, request.job);
      case 'cancel':
        return engine?.cancel(request.id);
      default:
        return request satisfies never;
    }
  });
  process.on('disconnect', () => process.exit());
  // The parent decides when it ends, whoever presses Ctrl-C.
  process.on('SIGINT', () => {});
}

function problemOf(error: unknown): { readonly message: string; readonly help: string | undefined } {
  if (error instanceof UserError) return { message: error.message, help: error.help };
  return {
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    help: undefined,
  };
}

async function openEngine(served: ModelToServe, send: (answer: ModelAnswer) => void): Promise<Engine> {
  const { folder, template, batchSize, precision, backend } = served;
  const note = (message: string) => send({ type: 'note', message });
  const resources = backend === undefined ? {} : { backend };
  const contextLength = await fittingContext(served, note);
  const local = await openLocalModel(folder, {
    resources,
    weights: precision,
    host: {
      signal: new AbortController().signal,
      report: (report) => {
        if (report.type === 'note') note(report.message);
      },
    },
  });
  quantizeWeights(local.model, precision);
  const reader = await openPromptReader(folder, local, template);
  const { toolCalls, noChat } = reader;
  const adapted = new Map<string, LocalModel>();
  for (const adapter of served.adapters)
    adapted.set(adapter.name, await withAdapter(local, { model: folder, adapter: adapter.folder }));
  const engine = new Engine({ local, adapted, reader, batchSize, contextLength, send });
  await engine.warmUp();
  send({
    type: 'ready',
    model: { contextLength, backend: local.tensorBackend.backend, toolCalls, noChat },
  });
  return engine;
}

const asOption = (field: string, value: number | string) => `\`--${field.replace('_', '-')} ${value}\``;

/** The fewest tokens of context that are worth serving. */
const leastContext = 128;

/** The most tokens of a text: as many as are asked for, or as the model has and the memory allows. */
async function fittingContext(
  { folder, batchSize, contextLength: wanted, precision, backend }: ModelToServe,
  note: (message: string) => void,
): Promise<number> {
  const config = await readModelConfig(folder);
  const most = config.contextLength;
  if (wanted !== undefined && wanted > most)
    throw new UserError({
      code: 'context-limit',
      message: `the model's context has ${most} tokens, and --context-length asks for ${wanted}`,
    });
  const resources = backend === undefined ? {} : { backend };
  const fits = async (slots: number): Promise<UserError | undefined> => {
    try {
      const shape = { kind: 'writes', rows: batchSize, slots, precision } as const;
      await expectedMemory(folder, { resources, host: { report: () => {} } }, (model, { limit, kept }) =>
        checkGenerationMemory({ model, limit, kept, ...shape, setting: asOption }),
      );
      return undefined;
    } catch (error) {
      if (error instanceof UserError) return error;
      throw error;
    }
  };
  let slots = wanted ?? most;
  for (let problem = await fits(slots); problem !== undefined; problem = await fits(slots)) {
    if (wanted !== undefined || slots <= leastContext) throw problem;
    slots = Math.max(leastContext, Math.floor(slots / 2));
  }
  if (slots < (wanted ?? most))
    note(`the memory holds ${batchSize} texts of ${slots} tokens; the model's context has ${most}`);
  return slots;
}
