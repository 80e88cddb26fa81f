import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { openCliRig } from '../rig.ts';

const script = fileURLToPath(new URL('../../fixtures/chat/terminal.py', import.meta.url));
const tuneloom = fileURLToPath(new URL('../../../dist/tuneloom.js', import.meta.url));
const hasTerminal = spawnSync('python3', ['-c', 'import pty']).status === 0;

/** A model with random weights and a context long enough for an answer that can be stopped. */
const pipeline = `name: talk
stages:
  base: { uses: load, with: { init: { context_length: 4096, width: 16, layers: 2, heads: 2, encoding: r50k_base } } }
`;

test.skipIf(!hasTerminal)(
  `in a terminal an answer streams, Ctrl-C stops it, and Ctrl-C again leaves${hasTerminal ? '' : ' (skipped: no python3 with pty)'}`,
  async () => {
    await using rig = await openCliRig({ 'package.json': '{}', 'talk.yaml': pipeline });
    expect((await rig.tuneloom('run')).exitCode).toBe(0);
    const words = ['chat', 'base', '--template', 'alpaca', '--max-new-tokens', '3500'];
    const { stdout } = await execa('python3', [script, process.execPath, tuneloom, ...words], {
      cwd: rig.folder,
      env: { PATH: process.env.PATH, HOME: rig.folder, NO_COLOR: '1', TERM: 'xterm' },
      extendEnv: false,
    });
    const shown = JSON.parse(stdout);
    expect(shown.greeting).toContain('Ctrl-C stops an answer.');
    expect(shown.streamed).toMatch(/^Name a fruit\.\n.{20}/);
    expect(shown.help).toContain('/reset forgets the conversation');
    // 3,500 tokens have at least as many characters.
    expect((shown.streamed + shown.stopped).length).toBeLessThan(3500);
    expect([shown.left, shown.exit]).toEqual(['', 0]);
  },
);
