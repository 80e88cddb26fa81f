import { type Dag, planPipeline, type Store } from '../../runtime/index.ts';
import { UsageError } from '../exit-code.ts';

/**
 * Throws if a stage that would run, or may, cannot be computed on the backend of the command line. Results that exist are
 * reused wherever they were computed.
 */
export async function checkBackend(
  backend: string,
  {
    dag,
    store,
    ...selection
  }: {
    readonly dag: Dag;
    readonly store: Store;
    readonly targets: readonly string[];
    readonly force: readonly string[];
  },
): Promise<void> {
  const problems = [...dag.nodes.values()].flatMap(({ id, definition, config, resources }) => {
    const [problem] = definition.check?.(config, { ...resources, backend }) ?? [];
    return problem === undefined ? [] : [{ id, ...problem }];
  });
  if (problems.length === 0) return;
  const plan = await planPipeline({ dag, store, ...selection });
  for (const { id, message, help } of problems) {
    const decision = plan.ok ? plan.value.stages.get(id)?.decision.kind : undefined;
    if (decision !== 'run' && decision !== 'undecided') continue;
    throw new UsageError({
      message: `with --backend ${backend}, \`${id}\` cannot run: ${message}`,
      ...(help !== undefined && { help }),
    });
  }
}
