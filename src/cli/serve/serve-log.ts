import { formatDuration } from '../../core/index.ts';
import type { RequestLine, RunningModel } from '../../serving/index.ts';
import { safeLine } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';

export interface ServeLog {
  readonly serving: (
    server: RunningModel,
    about: { readonly names: readonly string[]; readonly hasKey: boolean },
  ) => void;
  readonly request: (line: RequestLine) => void;
  readonly complain: (text: string) => void;
}

/** What the terminal shows: the address, and with --verbose or --json a line for each request. Never what is in one. */
export function serveLog(
  terminal: Terminal,
  { json, verbose }: { readonly json?: boolean; readonly verbose?: boolean },
): ServeLog {
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
