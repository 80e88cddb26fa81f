/** Text whose punctuation stands apart, as treebanks have it, as it is usually written (lm-evaluation-harness's general_detokenize). */
export const detokenized = (text: string): string =>
  text
    .replaceAll(" n't", "n't")
    .replaceAll(' )', ')')
    .replaceAll('( ', '(')
    .replaceAll('" ', '"')
    .replaceAll(' "', '"')
    .replace(/ (['.,])/g, '$1');
