export {
  counted,
  formatBytes,
  formatCount,
  formatDuration,
  formatFigure,
  shortDigests,
} from '../../core/index.ts';
