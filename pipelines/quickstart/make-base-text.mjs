// Prints what the base model reads, one JSON row a line: short paragraphs that put one fact in two or three ways.
// Who meets a name again a sentence later learns to look it up further above, which single sentences never teach.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { paragraphsOf } from './phrasings.mjs';

const facts = JSON.parse(readFileSync(process.argv[2], 'utf8'));

/** An order in which neighbours have nothing to do with each other. */
const place = ({ id }) => createHash('sha256').update(id).digest('hex');
const rows = paragraphsOf(facts)
  .map((row) => ({ row, place: place(row) }))
  .sort((a, b) => (a.place < b.place ? -1 : 1));

for (const { row } of rows) console.log(JSON.stringify(row));
