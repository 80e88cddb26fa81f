import { spawnSync } from 'node:child_process';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { type CliRig, dataProject, openCliRig } from './rig.ts';

const script = join(import.meta.dirname, '../../dist/tuneloom.js');

const hasShell = (shell: string): boolean => spawnSync(shell, ['-c', 'exit 0']).status === 0;

/** A project whose `bin/tuneloom` is the built command. */
async function openShellRig(): Promise<CliRig> {
  const rig = await openCliRig(dataProject);
  await rig.write('bin/tuneloom', `#!/bin/sh\nexec '${process.execPath}' '${script}' "$@"\n`);
  await chmod(join(rig.folder, 'bin/tuneloom'), 0o755);
  return rig;
}

const inShell = async (rig: CliRig, shell: string, args: readonly string[], code: string) => {
  const PATH = `${join(rig.folder, 'bin')}:${process.env.PATH}`;
  const env = { PATH, HOME: rig.folder, TERM: 'dumb' };
  const { stdout } = await execa(shell, [...args, '-c', code], { cwd: rig.folder, env, extendEnv: false });
  return stdout;
};

/** What Bash's completion offers for a line, through the function that `complete` registers. */
const bashOffers = async (rig: CliRig, line: string): Promise<readonly string[]> => {
  const stdout = await inShell(
    rig,
    'bash',
    ['--norc'],
    `source <(tuneloom completion bash)
[[ $(complete -p tuneloom) == *_tuneloom* ]] || exit 1
COMP_LINE='${line}'; COMP_POINT=\${#COMP_LINE}; read -ra COMP_WORDS <<< "$COMP_LINE"
_tuneloom
printf '%s\\n' "\${COMPREPLY[@]}"`,
  );
  return stdout.split('\n');
};

/** What fish offers for a line. */
const fishOffers = async (rig: CliRig, line: string): Promise<readonly string[]> => {
  const stdout = await inShell(
    rig,
    'fish',
    ['--no-config'],
    `tuneloom completion fish | source; complete -C '${line}'`,
  );
  return stdout.split('\n').map((offer) => offer.split('\t')[0] ?? '');
};

/** What zsh makes of a line when Tab is pressed, in a terminal of its own. It reads the next keys when Tab's work is done. */
const zshCompletes = async (rig: CliRig, line: string): Promise<string> => {
  const stdout = await inShell(
    rig,
    'zsh',
    ['-f'],
    `zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PS1=; PS2=; unsetopt zle_bracketed_paste; autoload -U compinit; compinit -u -D; source <(tuneloom completion zsh); bindkey "^I" complete-word; echo read-"y"'
zpty -r -m shell seen '*read-y*'
zpty -w -n shell $'${line}\\t'
zpty -w -n shell $'\\x01print -r -- "<\\x05>"\\n'
zpty -r -m shell seen '*<*>*<*>*'
print -r -- $seen`,
  );
  return (
    stdout
      .replaceAll('\r', '')
      .split('\n')
      .filter((text) => text.includes('<'))
      .at(-1) ?? stdout
  );
};

const offers = [
  { line: 'tuneloom ver', offer: ['verify'] },
  { line: 'tuneloom run --lock', offer: ['--locked'] },
  { line: 'tuneloom run --backend we', offer: ['webgpu'] },
  { line: 'tuneloom run da', offer: ['data.yaml'] },
  { line: 'tuneloom show data.yaml split.t', offer: ['split.train', 'split.test'] },
  { line: 'tuneloom run -p le', offer: ['length='] },
  { line: 'tuneloom plot s', offer: ['sweep', 'scores'] },
  { line: 'tuneloom plot history la', offer: ['latest'] },
];

describe.skipIf(!hasShell('bash'))(
  `completion in Bash${hasShell('bash') ? '' : ' (skipped: no bash here)'}`,
  () => {
    it.each(offers)('$line completes to $offer', async ({ line, offer }) => {
      await using rig = await openShellRig();
      expect(await bashOffers(rig, line)).toEqual(offer);
    });

    it('offers files where a file is wanted, and nothing after an error', async () => {
      await using rig = await openShellRig();
      expect(await bashOffers(rig, 'tuneloom plot history -o row')).toEqual(['rows.jsonl']);
      expect(await bashOffers(rig, 'tuneloom nonsense x')).toEqual(['']);
    });
  },
);

describe.skipIf(!hasShell('fish'))(
  `completion in fish${hasShell('fish') ? '' : ' (skipped: no fish here)'}`,
  () => {
    it.each(offers)('$line completes to $offer', async ({ line, offer }) => {
      await using rig = await openShellRig();
      expect([...(await fishOffers(rig, line))].sort()).toEqual([...offer].sort());
    });
  },
);

describe.skipIf(!hasShell('zsh'))(
  `completion in zsh${hasShell('zsh') ? '' : ' (skipped: no zsh here)'}`,
  () => {
    it.each([
      { line: 'tuneloom ver', completed: 'tuneloom verify' },
      { line: 'tuneloom show data.yaml spl', completed: 'tuneloom show data.yaml split' },
      { line: 'tuneloom run -p le', completed: 'tuneloom run -p length=' },
    ])('Tab after $line gives $completed', async ({ line, completed }) => {
      await using rig = await openShellRig();
      expect(await zshCompletes(rig, line)).toContain(completed);
    });
  },
);

it('stages of a file with mistakes, and of the files that it extends, complete too', async () => {
  await using rig = await openCliRig({
    ...dataProject,
    'mine.yaml': 'extends: data.yaml\nnonsense: [1\nstages:\n  more: { from: split.test, uses: format }\n',
  });
  const { stdout } = await rig.tuneloom('completion', 'candidates', '--', 'run', 'mine.yaml', '');
  const offered = stdout.split('\n').map((line) => line.split('\t')[0]);
  expect(offered).toEqual(expect.arrayContaining(['split', 'split.test', 'more']));
});
