import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countedRows } from '../../src/training/loss.ts';

const targetsWithHoles = fc
  .array(fc.oneof(fc.constant(-100), fc.nat(50)), { minLength: 1, maxLength: 200 })
  .map((targets) => Int32Array.from(targets));

describe('the targets that count', () => {
  it('are found with their places, and filled up with ignored ones', () => {
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
    expect(countedRows(all)).toEqual({
      places: Int32Array.of(1, 3, 4, 0),
      targets: Int32Array.of(7, 8, 9, -100),
    });
  });

  it('come in at most eight numbers for one number of targets, and never in more than there are', () => {
    fc.assert(
      fc.property(targetsWithHoles, (all) => {
        const { places, targets } = countedRows(all);
        const counted = [...all].filter((target) => target !== -100);
        expect([...targets].filter((target) => target !== -100)).toEqual(counted);
        expect([...places].every((place, row) => targets[row] === -100 || all[place] === targets[row])).toBe(
          true,
        );
        const part = Math.ceil(all.length / 8);
        expect(places.length === all.length || places.length % part === 0).toBe(true);
        expect(places.length).toBeLessThanOrEqual(all.length);
      }),
    );
  });
});
