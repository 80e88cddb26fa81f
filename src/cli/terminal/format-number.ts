export {
  counted,
  formatBytes,
  formatCount,
  formatDuration,
  formatFigure,
  shortDigests,
} from '../../core/index.ts';

/** ` ± 0.063` after a value; nothing for an error that is only the rounding of equal values. */
export const errorText = (value: number, error: number | undefined): string =>
  !error || Math.abs(error) < 1e-12 * Math.max(1, Math.abs(value)) ? '' : ` ± ${error.toPrecision(2)}`;
