/** The prefixes of the variables that hold paths: `IN_` and `OUT_` for ports, `FILE_` for files beside them. */
const pathVariable = /\$\{?((?:IN|OUT|FILE)_\w+)/g;

/** Names of the variables that a command uses for paths, without the dollar sign. */
export const pathVariablesIn = (text: string): readonly string[] =>
  [...text.matchAll(pathVariable)].flatMap(([, name]) => (name === undefined ? [] : [name]));

/** An argument that no shell sees, with the paths in place of their variables. */
export const withPaths = (argument: string, paths: Readonly<Record<string, string>>): string =>
  argument.replaceAll(/\$((?:IN|OUT|FILE)_\w+)/g, (written, name: string) => paths[name] ?? written);
