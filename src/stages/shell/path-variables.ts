/** The prefixes of the variables that hold paths: `IN_` and `OUT_` for ports, `FILE_` for files beside them. */
const pathVariable = /\$\{?((?:IN|OUT|FILE)_\w+)/g;

/** The path variables that a command uses, without the dollar sign. */
export const pathVariablesIn = (text: string): readonly string[] =>
  [...text.matchAll(pathVariable)].flatMap(([, name]) => (name === undefined ? [] : [name]));

/** An argument with paths in place of their variables, for a command that no shell expands. */
export const withPaths = (argument: string, paths: Readonly<Record<string, string>>): string =>
  argument.replaceAll(/\$((?:IN|OUT|FILE)_\w+)/g, (written, name: string) => paths[name] ?? written);
