import { createInterface } from 'node:readline';

/** Answers each line of JSON on standard input with one on standard output, until the input ends. */
export async function serve(answer: (request: Request) => Promise<object>): Promise<void> {
  for await (const line of createInterface({ input: process.stdin }))
    console.log(JSON.stringify(await answer(JSON.parse(line))));
}

/** A benchmark's request to a worker; each worker knows its fields. */
// biome-ignore lint/suspicious/noExplicitAny: the other end is a script beside this one.
type Request = any;
