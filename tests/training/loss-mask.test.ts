import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unmaskedTargets } from '../../src/training/loss.ts';

const targetsWithHoles = fc
  .array(fc.oneof(fc.constant(-100), fc.nat(50)), { minLength: 1, maxLength: 200 })
  .map((targets) => Int32Array.from(targets));

describe('the loss mask', () => {
  it('leaves the unmasked targets with their positions, padded with ignored ones', () => {
    const all = Int32Array.of(
      -100,
      7,
      -100,
      8,
      9,
      -100,
      -100,
      -100,
      -100,
      -100,
      -100,
      -100,
      -100,
      -100,
      -100,
      -100,
    );
    expect(unmaskedTargets(all)).toEqual({
      positions: Int32Array.of(1, 3, 4, 0),
      targets: Int32Array.of(7, 8, 9, -100),
    });
  });

  it('leaves one of at most eight numbers of targets, and never more than there are', () => {
    fc.assert(
      fc.property(targetsWithHoles, (all) => {
        const { positions, targets } = unmaskedTargets(all);
        const unmasked = [...all].filter((target) => target !== -100);
        expect([...targets].filter((target) => target !== -100)).toEqual(unmasked);
        expect(
          [...positions].every((position, row) => targets[row] === -100 || all[position] === targets[row]),
        ).toBe(true);
        const part = Math.ceil(all.length / 8);
        expect(positions.length === all.length || positions.length % part === 0).toBe(true);
        expect(positions.length).toBeLessThanOrEqual(all.length);
      }),
    );
  });
});
