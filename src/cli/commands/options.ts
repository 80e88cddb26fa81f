import { InvalidArgumentError, Option } from 'commander';

export interface JsonOption {
  readonly json?: boolean;
}

export interface StoreOptions extends JsonOption {
  readonly store?: string;
}

/** The options of every command that reads a pipeline file. */
export interface PipelineOptions extends StoreOptions {
  readonly param?: readonly string[];
  readonly set?: readonly string[];
}

export const jsonOption = new Option('--json', 'print JSON for programs instead of text for people');

export const storeOption = new Option(
  '--store <folder>',
  "keep results in this folder instead of the project's artifacts/ (TUNELOOM_STORE does the same)",
);

export const overrideOptions: readonly Option[] = [
  repeatable('-p, --param <name=value>', "give one of the pipeline's params another value; repeatable"),
  repeatable('--set <path=value>', 'give any field another value, as stages.train.with.epochs=3; repeatable'),
];

export const pipelineOptions: readonly Option[] = [...overrideOptions, storeOption, jsonOption];

/** An option that may be given several times. */
export function repeatable(flags: string, description: string): Option {
  return new Option(flags, description).argParser((value: string, before: readonly string[] = []) => [
    ...before,
    value,
  ]);
}

/** Reads a whole number of at least `least`, and at most `most`. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (Number.isSafeInteger(number) && number >= least && number <= most) return number;
    throw new InvalidArgumentError(
      most === Number.MAX_SAFE_INTEGER
        ? `It takes a whole number of at least ${least}.`
        : `It takes a whole number from ${least} to ${most}.`,
    );
  };
}

/** Reads the number of a port; 0 is any free one. */
export const portNumber = wholeNumber(0, 65_535);

/** Reads a number of at least `least`. */
export function numberFrom(least: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (value.trim() !== '' && Number.isFinite(number) && number >= least) return number;
    throw new InvalidArgumentError(`It takes a number of at least ${least}.`);
  };
}

/** Reads a number with its unit; `forms` shows how it is written. */
export function quantity(
  parse: (text: string) => number | undefined,
  forms: string,
): (text: string) => number {
  return (text) => {
    const value = parse(text);
    if (value !== undefined && Number.isFinite(value)) return value;
    throw new InvalidArgumentError(`It takes a number with its unit, as ${forms}.`);
  };
}
