import type { Option } from 'commander';
import type { ExitCode } from '../exit-code.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** A command as data: its help, its options, and where its code is. Declaring one loads none of its code. */
export interface CommandDeclaration<Options = Record<string, unknown>> {
  readonly name: string;
  /** The words after the name as help shows them: `[file] [stage...]`. */
  readonly usage: string;
  /** At most this many words are taken; any number where it is absent. */
  readonly mostWords?: number;
  /** One sentence, without a full stop. */
  readonly summary: string;
  readonly options: readonly Option[];
  readonly examples: readonly Example[];
  readonly load: () => Promise<CommandModule<Options>>;
}

/** A command line that works, and what it does. */
export interface Example {
  readonly line: string;
  readonly does: string;
}

interface CommandModule<Options> {
  readonly execute: (call: CommandCall<Options>) => Promise<ExitCode>;
}

export interface CommandCall<Options> {
  readonly words: readonly string[];
  readonly options: Options;
  readonly context: CommandContext;
}

/** What a command may use of the process that it runs in. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly workingDirectory: string;
  /** What a person types, or another program pipes in. */
  readonly input: NodeJS.ReadableStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Absolute path of the script that stages with a process of their own run in. */
  readonly stageProcess: string;
}
