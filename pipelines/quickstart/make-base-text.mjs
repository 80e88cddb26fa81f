// Prints what the base model reads: short paragraphs that put one fact in two or three ways, one JSON row a line.
// Whoever reads the same name again a sentence later learns to look it up further above, which single sentences never teach.
import { readFileSync } from 'node:fs';
import { paragraphsOf } from './phrasings.mjs';

const facts = JSON.parse(readFileSync(process.argv[2], 'utf8'));
for (const paragraph of paragraphsOf(facts)) console.log(JSON.stringify(paragraph));
