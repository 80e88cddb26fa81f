import { createInterface } from 'node:readline';

/** Answers each line of JSON on standard input by one on standard output, until there are no more. */
export async function serve(answer: (request: Request) => Promise<object>): Promise<void> {
  for await (const line of createInterface({ input: process.stdin }))
    console.log(JSON.stringify(await answer(JSON.parse(line))));
}

/** What a benchmark asks of a worker; each worker knows its own fields. */
// biome-ignore lint/suspicious/noExplicitAny: the other end is a script beside this one.
type Request = any;
