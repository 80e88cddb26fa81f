import { createContext, Script } from 'node:vm';
import { isObject } from './json.ts';

const script = new Script('work()');
const sandbox = { work: (): void => {} };
const context = createContext(sandbox);

/**
 * The result of work whose length depends on foreign data, such as a template's loops or a regular expression that came
 * with a model; undefined where it is not done in time. Nothing else could end it, not even Ctrl-C.
 */
export function withinTime<Value>(
  milliseconds: number,
  work: () => Value,
): { readonly value: Value } | undefined {
  let done: { readonly value: Value } | undefined;
  sandbox.work = () => {
    done = { value: work() };
  };
  try {
    // Only a script has a timeout; it ends everything the script calls, in whichever context that was made.
    script.runInContext(context, { timeout: milliseconds });
  } catch (error) {
    if (!isTimeout(error)) throw error;
  }
  return done;
}

/** The error comes from the script's own context, so it is no instance of this context's Error. */
const isTimeout = (error: unknown): boolean =>
  isObject(error) && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
