import { didYouMean } from '../../core/index.ts';
import type { Dag, Executor, RunOptions, Settings } from '../../runtime/index.ts';
import { UsageError } from '../exit-code.ts';
import { programVersion } from '../program-version.ts';

/** The executors of a run. */
interface ChosenExecutors extends AsyncDisposable {
  readonly executorFor: NonNullable<RunOptions['executorFor']>;
  /** Names of stages in the settings that are nothing in this pipeline. */
  readonly unheeded: readonly string[];
}

/** This machine: the name that the settings need not define. */
const local = 'local';

/**
 * Where each stage runs, by `--executor` or the settings: an executor for all stages, or for each that is named, by its id
 * or by what it uses; an id wins. Throws a UsageError for an executor that the settings lack or that lacks a setting.
 * An executor's code is loaded when its first stage has to run.
 */
export function chooseExecutors({
  settings,
  dag,
  stageProcess,
}: {
  readonly settings: Pick<Settings, 'executor' | 'executors' | 'withheld'>;
  readonly dag: Dag;
  readonly stageProcess: string;
}): ChosenExecutors {
  const chosen = settings.executor?.value ?? local;
  const names = typeof chosen === 'string' ? [chosen] : Object.values(chosen);
  for (const name of names) checkExecutor(name, settings);
  const nodes = [...dag.nodes.values()];
  const nameFor = (node: { readonly id: string; readonly definition: { readonly name: string } }): string =>
    typeof chosen === 'string' ? chosen : (chosen[node.id] ?? chosen[node.definition.name] ?? local);
  const opened = new Map<string, Promise<Executor | undefined>>();
  const open = async (name: string): Promise<Executor | undefined> => {
    const found = settings.executors.get(name);
    if (name === local || found === undefined) return undefined;
    const { openExecutor } = await import('../../executors/index.ts');
    return openExecutor({ name, settings: found.value }, { stageProcess, version: programVersion() });
  };
  return {
    executorFor: (node) => {
      const name = nameFor(node);
      const executor = opened.get(name) ?? open(name);
      opened.set(name, executor);
      return executor;
    },
    unheeded:
      typeof chosen === 'string'
        ? []
        : Object.keys(chosen).filter(
            (stage) => !nodes.some(({ id, definition }) => id === stage || definition.name === stage),
          ),
    [Symbol.asyncDispose]: async () => {
      for (const executor of opened.values()) await (await executor)?.[Symbol.asyncDispose]();
    },
  };
}

function checkExecutor(
  name: string,
  { executors, withheld }: Pick<Settings, 'executors' | 'withheld'>,
): void {
  if (name === local) return;
  if (withheld?.executors.has(name))
    throw new UsageError({
      message: `nobody has approved executor \`${name}\` of ${withheld.path}`,
      help: 'read the file, and add --yes to approve it',
    });
  const found = executors.get(name);
  if (found === undefined)
    throw new UsageError({
      message: `no executor is called \`${name}\``,
      help:
        didYouMean(name, [...executors.keys(), local]) ??
        'define it under `executors` in .tuneloom/settings.yaml; `local` is this machine',
    });
  const { value, unset } = found;
  if (unset.length > 0)
    throw new UsageError({
      message: `executor \`${name}\` needs the environment variable ${unset.join(', ')}, which is not set`,
      help: 'set it, or write the value into the settings',
    });
  const problem = incompleteness(value);
  if (problem !== undefined)
    throw new UsageError({ message: `executor \`${name}\` ${problem.what}`, help: problem.help });
}

/** What an executor's kind needs besides its schema. */
function incompleteness({
  kind,
  host,
  over,
  store,
}: {
  readonly kind: 'ssh' | 'slurm';
  readonly host?: string;
  readonly over?: string;
  readonly store?: string;
}): { readonly what: string; readonly help: string } | undefined {
  const address = kind === 'ssh' ? host : over;
  if (kind === 'ssh' && host === undefined)
    return { what: 'of kind `ssh` has no `host`', help: 'write `host:` as you give it to ssh' };
  if (kind === 'slurm' && host !== undefined)
    return { what: 'of kind `slurm` has a `host`', help: 'the host with sbatch is `over:`' };
  if (kind === 'ssh' && over !== undefined)
    return { what: 'of kind `ssh` has `over`', help: '`over` is for `kind: slurm`' };
  if (address?.startsWith('-'))
    return { what: `names the host \`${address}\``, help: 'a host begins with no dash' };
  if (address !== undefined && store === undefined)
    return {
      what: 'has no `store`',
      help: 'name the folder there that keeps its results: `store: /data/tuneloom`',
    };
  if (address === undefined && store !== undefined)
    return {
      what: 'has a `store` and no `over`',
      help: 'without `over` its jobs use the store of the run, on a disk that all nodes see: leave `store` out',
    };
  return undefined;
}
