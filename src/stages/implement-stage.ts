import { type Json, UserError } from '../core/index.ts';
import type { ActionPort, StageAction, StageHost, StageModule } from '../runtime/index.ts';
import {
  type InputTypes,
  type Once,
  type OutputTypes,
  openInputs,
  openOutputs,
  type StageRun,
} from './ports/open-ports.ts';

type Measurements = Readonly<Record<string, Json>>;

interface StageImplementation<Config, Inputs extends InputTypes, Outputs extends OutputTypes> {
  readonly inputs: Inputs;
  readonly outputs: Outputs;
  /** Returns measurements of the run, which never enter an output. */
  // biome-ignore lint/suspicious/noConfusingVoidType: a stage that measures nothing returns nothing
  readonly run: (run: StageRun<Config, Inputs, Outputs>) => Promise<Measurements | void>;
}

/**
 * Makes a stage's code from a function over typed content: `implementStage<SplitConfig>()({ inputs, outputs, run })`.
 * `run` is called once, or once per part if a port was given parts; measurements are then kept by part.
 * (There are two calls because TypeScript infers either all type arguments of a call or none.)
 */
export const implementStage =
  <Config>() =>
  <const Inputs extends InputTypes, const Outputs extends OutputTypes>(
    stage: StageImplementation<Config, Inputs, Outputs>,
  ): StageModule => ({
    run: async (action, host) => {
      using shared = new SharedResources();
      const { once } = shared;
      const parts = partsGiven(action);
      if (parts === undefined) return await runPart(stage, { action, host, once });
      const measured: [string, Measurements][] = [];
      for (const part of parts) {
        host.signal.throwIfAborted();
        const done = runPart(stage, { action: actionOfPart(action, part), host, once, part });
        measured.push([part, await done.catch((error: unknown) => throwFromPart(error, part))]);
      }
      return Object.fromEntries(measured.filter(([, values]) => Object.keys(values).length > 0));
    },
  });

/** Not a Disposable, which TypeScript knows only with a newer library than the programs of users' stages may have. */
type Shared = { readonly dispose: () => void };

/** What the parts of an action share. */
class SharedResources implements Disposable {
  readonly #opened = new Map<string, Shared>();

  readonly once: Once = async <Opened extends Shared>(name: string, open: () => Promise<Opened>) => {
    const opened = this.#opened.get(name) ?? (await open());
    this.#opened.set(name, opened);
    return opened as Opened; // each name has one type
  };

  [Symbol.dispose](): void {
    for (const opened of [...this.#opened.values()].reverse()) opened.dispose();
  }
}

async function runPart<Config, Inputs extends InputTypes, Outputs extends OutputTypes>(
  stage: StageImplementation<Config, Inputs, Outputs>,
  {
    action,
    host,
    once,
    part,
  }: {
    readonly action: StageAction;
    readonly host: StageHost;
    readonly once: Once;
    readonly part?: string;
  },
): Promise<Measurements> {
  const outputs = await openOutputs(stage.outputs, action.outputs);
  try {
    const measurements = await stage.run({
      config: action.config as Config, // decode edge: the stage's schema has accepted it
      inputs: openInputs(stage.inputs, { ports: action.inputs, signal: host.signal }),
      outputs: outputs.content,
      part,
      statePath: action.statePath,
      memoPath: action.memoPath,
      checkpointPath: action.checkpointPath,
      share: action.share,
      resources: action.resources,
      host,
      once,
    });
    return measurements ?? {};
  } finally {
    await outputs.close();
  }
}

function throwFromPart(error: unknown, part: string): never {
  if (!(error instanceof UserError)) throw error;
  throw error.withMessage(`${part}: ${error.message}`);
}

function partsGiven(action: StageAction): readonly string[] | undefined {
  const given = Object.values(action.inputs).find((port) => 'parts' in port);
  return given && 'parts' in given ? Object.keys(given.parts) : undefined;
}

/** The same action with every port that has parts narrowed to one of them. */
function actionOfPart(action: StageAction, part: string): StageAction {
  const narrow = (ports: Readonly<Record<string, ActionPort>>) =>
    Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, portOfPart(port, part)]));
  return { ...action, inputs: narrow(action.inputs), outputs: narrow(action.outputs) };
}

function portOfPart(port: ActionPort, part: string): ActionPort {
  if ('path' in port) return port;
  const path = port.parts[part];
  if (path === undefined) throw new Error(`A port with parts lacks the part ${part}`);
  return { path };
}
