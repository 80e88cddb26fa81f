import { type Digest, digestsAt } from '../key/digest.ts';
import type { FetchedContent } from '../sharing/fetch-content.ts';
import type { RunEvent } from '../stage/run-event.ts';
import { contentState } from '../store/content-state.ts';
import type { WantedContent } from '../store/store.ts';
import { throttled } from './limit-reports.ts';
import type { RunContext, StageTask } from './run-context.ts';

/** Brings the inputs of a stage here that only a remote has. */
export async function fetchInputs(
  task: StageTask,
  context: RunContext,
): Promise<
  | {
      readonly kind: 'here';
      /** The stages of which something was brought here. */
      readonly stages: readonly string[];
    }
  | { readonly kind: 'lacking'; readonly digests: ReadonlySet<Digest> }
> {
  const { store, remotes, signal, unreachable } = context;
  const wanted: (WantedContent & { readonly stage: string })[] = [];
  for (const [port, { stage, output }] of Object.entries(task.node.inputs))
    for (const { digest, part } of digestsAt(task.inputs[port] ?? { parts: {} })) {
      if ((await contentState(store, digest)) === 'present') continue;
      const name = part === undefined ? `${stage}.${output}` : `${stage}.${output}.${part}`;
      wanted.push({ digest, name, stage });
    }
  if (wanted.length === 0) return { kind: 'here', stages: [] };
  const report = reportFetches(context.emit);
  const lacking =
    remotes === undefined
      ? new Set(wanted.map(({ digest }) => digest))
      : await remotes.fetch(store, wanted, { signal, report });
  // What no remote gave, and what is not here although it was made again, is for the stage to fail on.
  const isNews = [...lacking].some((digest) => !unreachable.has(digest));
  if (lacking.size > 0 && isNews) return { kind: 'lacking', digests: lacking };
  return { kind: 'here', stages: [...new Set(wanted.map(({ stage }) => stage))] };
}

/** Passes what is fetched from a remote on as events, its progress at a pace that can be shown. */
export function reportFetches(emit: (event: RunEvent) => void): (fetched: FetchedContent) => void {
  const running = new Map<
    string,
    { readonly started: number; readonly progress: (event: RunEvent) => void }
  >();
  return (fetched) => {
    const { content, remote } = fetched;
    const source = `${remote}: ${content.name}`;
    switch (fetched.kind) {
      case 'started':
        running.set(source, { started: performance.now(), progress: throttled(emit) });
        return emit({ type: 'source-started', source });
      case 'progress': {
        const { done, total } = fetched;
        const event = {
          type: 'source-progress',
          source,
          done,
          ...(total !== undefined && { total }),
        } as const;
        return running.get(source)?.progress(event);
      }
      case 'finished': {
        const { started } = running.get(source) ?? {};
        // It was here already.
        if (started === undefined) return;
        const milliseconds = Math.round(performance.now() - started);
        running.delete(source);
        return emit({ type: 'source-finished', source, digest: content.digest, milliseconds });
      }
      case 'failed':
        if (running.delete(source)) emit({ type: 'source-failed', source });
        return;
      default:
        return fetched satisfies never;
    }
  };
}
