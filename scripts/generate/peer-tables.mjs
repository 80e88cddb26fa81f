import { readFile } from 'node:fs/promises';
import { cell } from './field-table.mjs';

/**
 * Other programs' names of fields beside ours, and what to do about those that have no counterpart, from
 * src/stages/peer-fields.ts. peer-names.json says which program has which name.
 */
export async function peerTables({ fields, advice }) {
  const names = JSON.parse(await readFile(new URL('peer-names.json', import.meta.url), 'utf8'));
  const programs = ['axolotl', 'LLaMA-Factory', 'trl'];
  const namesIn = (program, theirs) => theirs.filter((name) => names[program].includes(name));
  const elsewhere = (theirs) =>
    theirs.filter((name) => !programs.some((program) => names[program].includes(name)));
  const quoted = (list) => list.map((name) => `\`${name}\``).join(', ');
  const rows = fields.map(([stage, field, theirs]) => {
    const columns = [...programs.map((program) => namesIn(program, theirs)), elsewhere(theirs)];
    return `| \`${stage}\`: \`${field}\` | ${columns.map(quoted).join(' | ')} |\n`;
  });
  const translated = new Set(fields.flatMap(([, , theirs]) => theirs));
  const byText = grouped([...advice].filter(([name]) => !translated.has(name)));
  const others = [...byText].map(
    ([text, entries]) => `| ${quoted(entries.map(([name]) => name))} | ${cell(text)} |\n`,
  );
  return {
    fields: `| here | axolotl | LLaMA-Factory | trl | elsewhere |\n|---|---|---|---|---|\n${rows.join('')}`,
    others: `| theirs | here |\n|---|---|\n${others.join('')}`,
  };
}

/** Text -> the entries that have it. */
function grouped(entries) {
  const groups = new Map();
  for (const entry of entries) groups.set(entry[1], [...(groups.get(entry[1]) ?? []), entry]);
  return groups;
}
