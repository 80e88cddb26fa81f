import type { Option } from 'commander';
import type { ExitCode } from '../exit-code.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** The commands below one heading of `tuneloom --help`. */
export interface CommandGroup {
  readonly title: string;
  readonly commands: readonly CommandDeclaration[];
}

/** A command as data: its help, its options, and where its code is. Declaring a command loads none of its code. */
export interface CommandDeclaration {
  readonly name: string;
  /** The words after the name as help shows them: `[file] [stage...]`. */
  readonly usage: string;
  /** The most words that the command takes; any number where absent. */
  readonly mostWords?: number;
  /** One sentence, without a full stop. */
  readonly summary: string;
  readonly options: readonly Option[];
  /** Set for a command that programs start: help does not list it. */
  readonly isHidden?: boolean;
  readonly examples: readonly { readonly line: string; readonly does: string }[];
  /** Imports the command's function. Each function declares the type of the options that it reads. */
  readonly load: () => Promise<(call: CommandCall<never>) => Promise<ExitCode>>;
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
  /** Typed by a person, or piped in by another program. */
  readonly input: NodeJS.ReadableStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Every command, for one that tells about the others. */
  readonly commands?: readonly CommandDeclaration[];
  /** Absolute path of the script that runs a stage in its own process. */
  readonly stageProcess: string;
}
