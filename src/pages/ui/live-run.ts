import { useEffect, useReducer, useState } from 'preact/hooks';
import type { LiveEvent, RunRecord } from '../../server/index.ts';

/** What a run that goes on has told so far. */
export interface LiveRun {
  /** In the order in which they began or were reused. */
  readonly stages: Readonly<Record<string, LiveStage>>;
  /** All that the run wants to do. */
  readonly planned: readonly string[];
  /** The last lines that stages reported. */
  readonly notes: readonly LiveNote[];
}

export interface LiveStage {
  readonly state: 'running' | 'reused' | 'ran' | 'failed' | 'skipped';
  /** When it began, in milliseconds since 1970. */
  readonly since?: number;
  readonly milliseconds?: number;
  readonly reason?: string;
  readonly progress?: Extract<Report, { type: 'progress' }>;
}

type Report = Extract<LiveEvent, { type: 'stage-report' }>['report'];

export interface LiveNote {
  readonly number: number;
  readonly at: number;
  readonly stage: string;
  readonly level: 'info' | 'warning';
  readonly message: string;
}

const nothing: LiveRun = { stages: {}, planned: [], notes: [] };
const mostNotes = 200;

export function addEvents(live: LiveRun, events: readonly LiveEvent[]): LiveRun {
  const stages: Record<string, LiveStage> = { ...live.stages };
  let { planned } = live;
  const notes = [...live.notes];
  for (const event of events) {
    switch (event.type) {
      case 'run-started':
        planned = event.stages;
        break;
      case 'stage-reused':
        stages[event.stage] = { state: 'reused' };
        break;
      case 'stage-started':
        stages[event.stage] = { state: 'running', since: event.at, reason: event.reason };
        break;
      case 'stage-finished':
        stages[event.stage] = { ...stages[event.stage], state: 'ran', milliseconds: event.milliseconds };
        break;
      case 'stage-failed':
        stages[event.stage] = { ...stages[event.stage], state: 'failed' };
        break;
      case 'stage-skipped':
        stages[event.stage] = { state: 'skipped', reason: event.because };
        break;
      case 'stage-report': {
        const { report, stage, at } = event;
        if (report.type === 'progress')
          stages[stage] = { ...(stages[stage] ?? { state: 'running' }), progress: report };
        else
          notes.push({
            number: (notes.at(-1)?.number ?? 0) + 1,
            at,
            stage,
            level: report.level,
            message: report.message,
          });
        break;
      }
    }
  }
  return { stages, planned, notes: notes.slice(-mostNotes) };
}

/** Follows a run until it ends; `run` is its record as it was last read. */
export function useLiveRun(id: string): { readonly run: RunRecord | undefined; readonly live: LiveRun } {
  const [live, add] = useReducer(addEvents, nothing);
  const [run, setRun] = useState<RunRecord | undefined>(undefined);
  useEffect(() => {
    const source = new EventSource(`api/runs/${encodeURIComponent(id)}/events`);
    source.addEventListener('events', ({ data }) => add(JSON.parse(data)));
    source.addEventListener('run', ({ data }) => setRun(JSON.parse(data)));
    // Otherwise the browser would connect again.
    source.addEventListener('end', () => source.close());
    return () => source.close();
  }, [id]);
  return { run, live };
}
