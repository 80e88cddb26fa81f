import { join } from 'node:path';
import { ourWorker } from './worker.mjs';

// The error of a model's logits with weights in 8 and 4 bits, and with a GGUF file's own, at the answers of 60 of the reference's test rows in the model's own
// chat format. node bench/precision.mjs MODEL.gguf [ROWS.json] [from] [count]
const reference = join(import.meta.dirname, '../../shared/data/rasbt/instruction-data.json');
const [model, rows = process.env.TUNELOOM_BENCH_ROWS ?? reference, ...which] = process.argv.slice(2);
if (model === undefined) throw new Error('Name a model: node bench/precision.mjs MODEL.gguf');
const worker = await ourWorker('precision', model, rows, ...which);
console.log(JSON.stringify(await worker.ask({}), null, 2));
worker.end();
