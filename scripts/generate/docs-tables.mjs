import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cell, fieldTable } from './field-table.mjs';
import { peerTables } from './peer-tables.mjs';

/** The pages with generated tables, which are between markers such as `<!-- fields -->` and `<!-- /fields -->`. A page without them is listed as broken; one that is not written yet is skipped. */
export async function docsTables(root, { stages, settings, broken }, { metrics, benchmarks, peers }) {
  const tables = {
    ...Object.fromEntries(
      stages.map(({ name, schema }) => [`stages/${name}`, { fields: fieldTable(schema) }]),
    ),
    sharing: { settings: fieldTable(settings) },
    benchmarks: { layouts: layoutTable(benchmarks), templates: templateTable(benchmarks) },
  };
  tables['coming-from'] = await peerTables(peers);
  tables['stages/evaluate'] = { ...tables['stages/evaluate'], metrics: metricTable(metrics) };
  const pages = Object.entries(tables).map(async ([page, byMarker]) => {
    const path = join(root, `docs/${page}.md`);
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text === undefined) return [];
    const filled = Object.entries(byMarker).reduce((text, [marker, table]) => {
      const [open, close] = [`<!-- ${marker} -->\n`, `<!-- /${marker} -->`];
      const between = new RegExp(`${open}[\\s\\S]*?${close}`);
      if (between.test(text)) return text.replace(between, () => open + table + close);
      const message = `needs the lines \`${open.trim()}\` and \`${close}\`, between which a table is written`;
      broken.push({ file: `docs/${page}.md`, message });
      return text;
    }, text);
    return [{ path, text: filled }];
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
  `| \`as\` | \`records\` is | default \`split\` | a record |\n|---|---|---|---|\n${benchmarks
    .map(
      ({ name, layout, defaultSplit }) =>
        `| \`${name}\` | ${cell(layout.records)} | ${defaultSplit === undefined ? '' : `\`${defaultSplit}\``} | ${cell(layout.fields)} |\n`,
    )
    .join('')}`;

const templateTable = (benchmarks) =>
  `| template | follows |\n|---|---|\n${benchmarks
    .flatMap(({ templates = {} }) => Object.entries(templates))
    .map(([name, { source }]) => `| \`${name}\` | ${cell(source)} |\n`)
    .join('')}`;
