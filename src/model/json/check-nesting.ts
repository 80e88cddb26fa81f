/** Three times as many as the largest checkpoints have tensors, each of which takes three. */
const mostContainers = 1_000_000;
const [list, map] = [0x5b, 0x7b];

/** Throws where JSON has more lists and maps than any model's: their memory would be thirty times that of the text. */
export function checkNesting(json: Uint8Array, failure: (what: string) => Error): void {
  let containers = 0;
  for (const byte of json) if (byte === list || byte === map) containers++;
  if (containers > mostContainers)
    throw failure(`has ${containers} lists and maps, more than the ${mostContainers} allowed`);
}
