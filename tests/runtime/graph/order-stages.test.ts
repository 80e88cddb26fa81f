import fc from 'fast-check';
import { expect, test } from 'vitest';
import { orderStages } from '../../../src/runtime/graph/order-stages.ts';

const graphs = (edge: (from: number, to: number) => boolean) =>
  fc
    .array(fc.tuple(fc.nat(11), fc.nat(11)), { maxLength: 30 })
    .map((edges) => edges.filter(([from, to]) => edge(from, to)))
    .map((edges) => {
      const ids = Array.from({ length: 12 }, (_, index) => `s${index}`);
      return new Map(
        ids.map(
          (id, index) => [id, edges.filter(([from]) => from === index).map(([, to]) => `s${to}`)] as const,
        ),
      );
    });

test('in a graph without cycles every stage comes after all that it needs', () => {
  fc.assert(
    fc.property(
      graphs((from, to) => to < from),
      (dependencies) => {
        const { order, cycles } = orderStages(dependencies);
        expect(cycles).toEqual([]);
        expect(order.toSorted()).toEqual([...dependencies.keys()].toSorted());
        for (const [id, needs] of dependencies)
          for (const need of needs) expect(order.indexOf(need)).toBeLessThan(order.indexOf(id));
      },
    ),
  );
});

test('the order in which stages are given never changes their order', () => {
  fc.assert(
    fc.property(
      graphs((from, to) => to < from).chain((graph) =>
        fc.tuple(fc.constant(graph), fc.shuffledSubarray([...graph], { minLength: graph.size })),
      ),
      ([graph, shuffled]) => {
        expect(orderStages(new Map(shuffled))).toEqual(orderStages(graph));
      },
    ),
  );
});

test('of stages that could come next the one with the smallest id does', () => {
  const dependencies = new Map([
    ['b', []],
    ['a10', ['b']],
    ['a9', []],
    ['A', ['a9']],
  ]);
  expect(orderStages(dependencies).order).toEqual(['a9', 'A', 'b', 'a10']);
});

test('each reported cycle is a closed path of dependencies, and a graph with one is never fully ordered', () => {
  fc.assert(
    fc.property(
      graphs(() => true),
      (dependencies) => {
        const { order, cycles } = orderStages(dependencies);
        expect(cycles.length === 0).toBe(order.length === dependencies.size);
        for (const path of cycles) {
          expect(path[0]).toBe(path.at(-1));
          for (const [index, id] of path.slice(0, -1).entries())
            expect(dependencies.get(id)).toContain(path[index + 1]);
        }
        const told = cycles.flatMap((path) => path.slice(1));
        expect(new Set(told).size).toBe(told.length);
      },
    ),
  );
});
