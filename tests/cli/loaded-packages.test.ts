import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { expect, test } from 'vitest';

test('what every run loads imports no package that is not bundled, and no tensor library', () => {
  const code = readFileSync(new URL('../../dist/chunks/core.js', import.meta.url), 'utf8');
  const imported = [...code.matchAll(/\b(?:from|import) ?"([@a-z][\w@/.:-]*)"/g)].map(
    ([, name = '']) => name,
  );
  const packages = imported.filter((name) => !builtinModules.includes(name.replace('node:', '')));
  expect([...new Set(packages)]).toEqual([]);
});
