// Prints what the base model reads, one JSON row per line: short paragraphs that state one fact in two or three ways.
// A name that returns in the next sentence teaches the model to look it up in the text before; single sentences do not.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { paragraphsOf } from './phrasings.mjs';

const facts = JSON.parse(readFileSync(process.argv[2], 'utf8'));

/** Orders rows so that neighbors are unrelated. */
const place = ({ id }) => createHash('sha256').update(id).digest('hex');
const rows = paragraphsOf(facts)
  .map((row) => ({ row, place: place(row) }))
  .sort((a, b) => (a.place < b.place ? -1 : 1));

for (const { row } of rows) console.log(JSON.stringify(row));
