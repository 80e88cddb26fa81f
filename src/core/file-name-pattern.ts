/** Whether the last name of a path is a pattern: it has a `*`. */
export const hasFilePattern = (path: string): boolean => /\*[^/\\]*$/.test(path);

/** A test for names that match a pattern, in which `*` stands for any characters. */
export function fileNamePattern(pattern: string): (name: string) => boolean {
  const parts = pattern.split(/\*+/);
  const [first = '', last = ''] = [parts[0], parts.at(-1)];
  const between = parts.slice(1, -1);
  // Not a regular expression: that could take a long time for a name from elsewhere.
  return (name) => {
    if (parts.length === 1) return name === pattern;
    if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length)
      return false;
    let at = first.length;
    for (const part of between) {
      const found = name.indexOf(part, at);
      if (found === -1) return false;
      at = found + part.length;
    }
    return at <= name.length - last.length;
  };
}
