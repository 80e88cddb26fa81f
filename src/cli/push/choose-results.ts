import {
  type ActionRecord,
  listRecords,
  planPipeline,
  type Remotes,
  readRecord,
  type Store,
} from '../../runtime/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { PipelineOptions } from '../commands/options.ts';
import { UsageError } from '../exit-code.ts';
import { namedFile, openPipeline, reportMistakes } from '../open-pipeline.ts';
import { storeOf } from '../open-settings.ts';
import { findRun } from '../runs/find-run.ts';

export interface ChoiceOptions extends PipelineOptions {
  /** A run's id, or `latest`. */
  readonly run?: string;
  readonly all?: boolean;
}

/** The results that a command line names. */
export interface ChosenResults {
  readonly file: string | undefined;
  readonly store: Store;
  readonly records: readonly ActionRecord[];
  /** Stages that were chosen and have no result. */
  readonly without: readonly string[];
}

/**
 * The results of a pipeline as it is now, also those that only `remotes` have, of some of its stages with what they need, of a run, or of the whole store.
 * Undefined if the pipeline has mistakes, which are then printed.
 */
export async function chooseResults(
  call: CommandCall<ChoiceOptions>,
  remotes?: Remotes,
): Promise<ChosenResults | undefined> {
  const { words, options, context } = call;
  if (options.run === undefined && options.all !== true) return ofPipeline(call, remotes);
  const { file } = namedFile({ words, context, mostNames: 0 });
  const store = await storeOf({ file, options, context });
  if (options.all === true) return { file, store, records: [...listRecords(store)], without: [] };
  const records: ActionRecord[] = [];
  const without: string[] = [];
  for (const [stage, outcome] of Object.entries(findRun(store, options.run ?? 'latest').stages)) {
    const found = 'outputs' in outcome ? readRecord(store, outcome.key) : undefined;
    if (found?.kind === 'usable') records.push(found.record);
    else without.push(stage);
  }
  return { file, store, records, without };
}

async function ofPipeline(
  { words, options, context }: CommandCall<ChoiceOptions>,
  remotes: Remotes | undefined,
): Promise<ChosenResults | undefined> {
  const opened = await openPipeline({ words, options, context, names: 'any' });
  if (!opened) return undefined;
  const { dag, names } = opened;
  const store = await storeOf({ file: dag.file, options, context });
  const plan = await planPipeline({ dag, store, targets: names, ...(remotes && { remotes }) });
  if (!plan.ok) {
    reportMistakes(plan.error, { terminal: context.terminal, json: options.json });
    return undefined;
  }
  const stages = [...plan.value.stages];
  const records = stages.flatMap(([, { decision }]) => (decision.kind === 'reuse' ? decision.record : []));
  const without = stages.flatMap(([id, { decision }]) => (decision.kind === 'reuse' ? [] : id));
  const lost = names.filter((name) => without.includes(name));
  if (lost.length > 0)
    throw new UsageError({
      message: `there is no result of ${lost.map((name) => `\`${name}\``).join(', ')}`,
      help: `\`tuneloom run\` makes it`,
    });
  return { file: dag.file, store, records: uniqueByKey(records), without };
}

/** Two stages of a pipeline may have one result. */
const uniqueByKey = (records: readonly ActionRecord[]): readonly ActionRecord[] => [
  ...new Map(records.map((record) => [record.key, record])).values(),
];
