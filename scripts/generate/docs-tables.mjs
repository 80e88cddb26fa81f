import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cell, fieldTable } from './field-table.mjs';

/** The pages with generated tables, which are between markers such as `<!-- fields -->` and `<!-- /fields -->`. */
export async function docsTables(root, { stages }, { metrics, benchmarks }) {
  const tables = {
    ...Object.fromEntries(
      stages.map(({ name, schema }) => [`stages/${name}`, { fields: fieldTable(schema) }]),
    ),
    benchmarks: { layouts: layoutTable(benchmarks) },
  };
  tables['stages/evaluate'] = { ...tables['stages/evaluate'], metrics: metricTable(metrics) };
  const pages = Object.entries(tables).map(async ([page, byMarker]) => {
    const path = join(root, `docs/${page}.md`);
    const text = await readFile(path, 'utf8').catch(() => '');
    const filled = Object.entries(byMarker).reduce(
      (text, [marker, table]) =>
        text.replace(
          new RegExp(`(<!-- ${marker} -->\n)[\\s\\S]*?(<!-- /${marker} -->)`),
          (_, open, close) => open + table + close,
        ),
      text,
    );
    return text === '' ? [] : [{ path, text: filled }];
  });
  return (await Promise.all(pages)).flat();
}

const directions = { higher: 'higher', lower: 'lower', varies: 'by figure' };

const metricTable = (metrics) =>
  `| metric | reads | better | measures | source |\n|---|---|---|---|---|\n${metrics
    .map(
      ({ name, measures, better, reads, source }) =>
        `| \`${name}\` | ${cell(reads)} | ${directions[better]} | ${cell(measures)} | ${cell(source)} |\n`,
    )
    .join('')}`;

const layoutTable = (benchmarks) =>
  `| \`as\` | \`records\` is | a record |\n|---|---|---|\n${benchmarks
    .map(({ name, layout }) => `| \`${name}\` | ${cell(layout.records)} | ${cell(layout.fields)} |\n`)
    .join('')}`;
