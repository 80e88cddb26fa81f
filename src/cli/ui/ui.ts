import { once } from 'node:events';
import { userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { sourceResolvers } from '../../remote/index.ts';
import { loadPipeline } from '../../runtime/index.ts';
import { startServer } from '../../server/index.ts';
import { stageRegistry } from '../../stages/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { StoreOptions } from '../commands/options.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { Interruption } from '../interruption.ts';
import { namedFile } from '../open-pipeline.ts';
import { sharedStoreOf } from '../open-shared-store.ts';
import { safeLine } from '../terminal/safe-text.ts';

/** `tuneloom ui`: serves the pages until it is stopped. */
export async function uiCommand({ words, options, context }: CommandCall<UiOptions>): Promise<ExitCode> {
  const { terminal, workingDirectory, environment, stageProcess } = context;
  const { file } = namedFile({ words, context, mostNames: 0 });
  const built = dirname(stageProcess);
  const server = await startServer({
    folder: workingDirectory,
    store: await sharedStoreOf({ file, options, context }),
    pipeline: file === undefined ? undefined : resolve(workingDirectory, file),
    load: (path) =>
      loadPipeline({
        file: path,
        registry: stageRegistry,
        resolvers: sourceResolvers(environment),
        workingDirectory,
        params: [],
        sets: [],
      }),
    port: options.port,
    person: options.rater ?? userInfo().username,
    program: join(built, 'tuneloom.js'),
    chatProcess: join(built, 'chat-process.js'),
    pages: join(built, 'pages'),
    onBug: (error) =>
      terminal.complain(
        `internal error: ${safeLine(error instanceof Error ? (error.stack ?? '') : String(error))}`,
      ),
  });
  terminal.print(
    options.json
      ? JSON.stringify({ address: server.address })
      : `${server.address}\n\nOpen this address in a browser. Whoever has it can use these pages; Ctrl-C ends them.`,
  );
  using interruption = Interruption.listen({
    terminal,
    notice: () => {
      const runs = server.runs();
      if (runs > 0)
        terminal.complain(`Stopping ${runs} ${runs === 1 ? 'run' : 'runs'}; finished stages are kept.`);
    },
  });
  if (!interruption.signal.aborted) await once(interruption.signal, 'abort');
  await server.close();
  return exitCode.success;
}

interface UiOptions extends StoreOptions {
  readonly port: number;
  readonly rater?: string;
}
