import { InvalidArgumentError, Option } from 'commander';

export interface JsonOption {
  readonly json?: boolean;
}

/** The options of every command that reads a pipeline file. */
export interface PipelineOptions extends JsonOption {
  readonly param?: readonly string[];
  readonly set?: readonly string[];
  readonly store?: string;
}

const collect = (value: string, before: readonly string[] = []) => [...before, value];

export const jsonOption = new Option('--json', 'print JSON for programs instead of text for people');

export const storeOption = new Option(
  '--store <folder>',
  "keep results in this folder instead of the project's artifacts/ (TUNELOOM_STORE says the same)",
);

export const overrideOptions: readonly Option[] = [
  repeatable('-p, --param <name=value>', "give one of the pipeline's params another value; repeatable"),
  repeatable('--set <path=value>', 'give any field another value, as stages.train.with.epochs=3; repeatable'),
];

export const pipelineOptions: readonly Option[] = [...overrideOptions, storeOption, jsonOption];

/** An option that may be given several times. */
export function repeatable(flags: string, description: string): Option {
  return new Option(flags, description).argParser(collect);
}

/** Reads a whole number of at least `least`. */
export function wholeNumber(least: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (Number.isSafeInteger(number) && number >= least) return number;
    throw new InvalidArgumentError(`It takes a whole number of at least ${least}.`);
  };
}

export interface StoreOptions extends JsonOption {
  readonly store?: string;
}

export interface RunOptions extends PipelineOptions {
  readonly jobs?: number;
  readonly force?: readonly string[];
  readonly keepGoing?: boolean;
  readonly locked?: boolean;
  readonly rerun?: boolean;
  readonly backend?: 'auto' | 'onnx' | 'tensorflow' | 'cpu';
}

export const graphFormats = ['text', 'mermaid', 'dot'] as const;
