import type { TrainConfig } from '../generated/train-config.ts';
import type { HistoryEntry } from './history-entry.ts';

type SpikePolicy = NonNullable<TrainConfig['on_spike']>;

/**
 * Whether a step's loss is a spike: above so many times the median of the last `window` steps' losses. Spikes count in it
 * too, so that a loss that stays high is no spike for long; before there are so many steps, nothing is one.
 */
export function isSpike(
  loss: number,
  { history, policy }: { readonly history: readonly HistoryEntry[]; readonly policy: SpikePolicy },
): boolean {
  const recent = lastLosses(history, policy.window);
  return recent.length === policy.window && loss > policy.above * medianOf(recent);
}

function lastLosses(history: readonly HistoryEntry[], most: number): readonly number[] {
  const losses: number[] = [];
  for (let place = history.length - 1; place >= 0 && losses.length < most; place--) {
    const entry = history[place];
    if (entry?.type === 'step') losses.push(entry.loss);
  }
  return losses;
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [Math.floor((sorted.length - 1) / 2), Math.ceil((sorted.length - 1) / 2)];
  return ((sorted[low] ?? 0) + (sorted[high] ?? 0)) / 2;
}
