// Generated from schemas/stages/shell.schema.json.

/**
 * Runs your own command in an empty folder. It reads its inputs at `$IN_<port>` and files at `$FILE_<name>`, and writes each output to `$OUT_<port>`, a file or a folder.
 */
export interface ShellConfig {
  /**
   * A line for the system's shell, or a program with its arguments, which runs without a shell. In both, `$IN_<port>`, `$OUT_<port>` and `$FILE_<name>` stand for paths.
   */
  readonly command: string | string[];
  /**
   * The input ports by name, each with its type; `file` takes anything. A bare `from:` binds the first in alphabetical order.
   */
  readonly inputs: {
    /**
     * What flows through the port.
     */
    readonly [k: string]:
      | 'file'
      | 'records'
      | 'tokens'
      | 'batches'
      | 'model'
      | 'adapter'
      | 'tokenizer'
      | 'history'
      | 'responses'
      | 'scores';
  };
  /**
   * The output ports by name, each with the type of what the command writes. A bare reference means the first in alphabetical order.
   */
  readonly outputs: {
    /**
     * What flows through the port.
     */
    readonly [k: string]:
      | 'file'
      | 'records'
      | 'tokens'
      | 'batches'
      | 'model'
      | 'adapter'
      | 'tokenizer'
      | 'history'
      | 'responses'
      | 'scores';
  };
  /**
   * Files and folders that the command reads besides its inputs, such as its program; `$FILE_<name>` is the path of each. A change to one makes the stage run again; in folders, caches such as `__pycache__` do not count.
   */
  readonly files: {
    /**
     * Path of a file or a folder.
     */
    readonly [k: string]: string;
  };
  /**
   * Further environment variables: a map of names to values, or a list of names whose values come from outside and, as they may be secrets, never make the stage run again. The command sees only these, PATH, HOME, TMPDIR and LANG, and PYTHONDONTWRITEBYTECODE, which is 1.
   */
  readonly environment:
    | {
        readonly [k: string]: string;
      }
    | string[];
}
