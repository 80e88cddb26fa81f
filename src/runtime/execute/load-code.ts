import { dirname, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { UserError } from '../../user-error.ts';
import type { StageModule } from '../stage/stage-definition.ts';

/** Loads the bundled code of a user's stage. What it throws is told with the line of the user's own file. */
export async function loadCode(path: string): Promise<StageModule> {
  try {
    const module: unknown = await import(pathToFileURL(path).href);
    const { run } = Object(module);
    if (typeof run !== 'function') throw new Error('`run` is not a function');
    return { run: (action, host) => Promise.resolve(run(action, host)).catch(throwAsTheirs) };
  } catch (error) {
    return throwAsTheirs(error);
  }
}

function throwAsTheirs(error: unknown): never {
  if (error instanceof Error && (error.name === 'UserError' || error.name === 'AbortError')) throw error;
  const {
    name,
    message,
    stack = '',
  } = error instanceof Error ? error : { name: 'a value', message: String(error) };
  const frames = stack.split('\n').flatMap(frameOf);
  const [place] = frames;
  throw new UserError({
    code: 'stage-threw',
    message: `${place === undefined ? '' : `${place}: `}${name}: ${message}`,
    ...(frames.length > 1 && { help: `it came there by way of ${frames.slice(1, 4).join(', ')}` }),
    cause: error,
  });
}

/** The place that a line of a stack trace names, if it is in code of the user's own. */
function frameOf(line: string): readonly string[] {
  const [, address = '', position = ''] =
    /^\s+at .*?((?:file:\/\/)?\/[^()]*?):(\d+:\d+)\)?$/.exec(line) ?? [];
  const path = address.startsWith('file://') ? fileURLToPath(address) : address;
  const isTheirs = path !== '' && !path.includes(`${sep}node_modules${sep}`) && !path.startsWith(own);
  return isTheirs ? [`${path}:${position}`] : [];
}

/** The folder that tuneloom itself runs from. */
const own = `${dirname(fileURLToPath(import.meta.url)).replace(/[/\\]chunks$/, '')}${sep}`;
