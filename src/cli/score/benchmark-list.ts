import { benchmarks } from '../../stages/evaluate/benchmarks/benchmarks.ts';
import { renderTable } from '../terminal/table.ts';

/** Every benchmark that can be scored. */
export const benchmarkList = {
  json: () =>
    [...benchmarks].map(([name, { summary, data, predictions }]) => ({
      name,
      summary,
      data: data.file,
      ...(predictions ? { predictions: predictions.file } : {}),
    })),
  text: (): string =>
    renderTable({
      head: ['benchmark', 'what is scored'],
      rows: [...benchmarks].map(([name, { summary }]) => [name, summary]),
      indent: '',
    }),
};
