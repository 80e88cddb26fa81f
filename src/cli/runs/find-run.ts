import { listRuns, type RunRecord, readRun, type Store } from '../../runtime/index.ts';
import { UsageError } from '../exit-code.ts';

/** Finds a run by `latest`, an id, or a unique beginning or end of an id. */
export function findRun(store: Store, wanted: string): RunRecord {
  const help = `\`tuneloom runs\` lists those in ${store.root}`;
  if (wanted === 'latest') {
    const latest = listRuns(store).next().value;
    if (latest) return latest;
    throw new UsageError({ message: 'there are no runs yet', help });
  }
  const exact = readRun(store, wanted);
  if (exact) return exact;
  const alike = [...listRuns(store)].filter(({ run }) => run.startsWith(wanted) || run.endsWith(wanted));
  const [only, another] = alike;
  if (only === undefined || wanted === '')
    throw new UsageError({ message: `there is no run \`${wanted}\``, help });
  if (another === undefined) return only;
  const few = alike.slice(0, 3).map(({ run }) => run);
  throw new UsageError({
    message: `\`${wanted}\` matches ${alike.length} runs: ${few.join(', ')}${alike.length > few.length ? ` and ${alike.length - few.length} more` : ''}`,
    help: 'give more of the id',
  });
}
