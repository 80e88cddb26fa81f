/** Orders dotted release numbers: `12.5.3.2` before `12.10`. A missing number counts as 0. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number)) as [number[], number[]]; // two
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether a release satisfies a specifier such as `<13.0,>=12.5.3.2` (PEP 440, as far as release numbers go). */
export function satisfies(version: string, specifier: string): boolean {
  return specifier.split(',').every((clause) => {
    const [, operator = '', bound = ''] = /^\s*(<=|>=|==|!=|<|>)\s*([\d.]+)\s*$/.exec(clause) ?? [];
    const order = compareVersions(version, bound);
    switch (operator) {
      case '<':
        return order < 0;
      case '<=':
        return order <= 0;
      case '>':
        return order > 0;
      case '>=':
        return order >= 0;
      case '==':
        return order === 0;
      case '!=':
        return order !== 0;
      default:
        throw new Error(`a version is asked for as \`${clause}\`, which this does not understand`);
    }
  });
}
