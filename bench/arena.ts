import { scoreBattles } from '../src/benchmarks/arena/score-battles.ts';
import { RandomStream } from '../src/core/random-stream.ts';

// Seconds for the ratings of 1,000,000 made-up battles of 50 models with 100 bootstrap rounds.
// npx esbuild bench/arena.ts --bundle --platform=node --format=esm --packages=external --outfile=dist/bench-arena.mjs
// node dist/bench-arena.mjs
const [count, players, rounds] = [1_000_000, 50, 100];
const random = new RandomStream(['arena']);
const models = Array.from({ length: players }, (_, index) => `model-${index}`);
const battles = Array.from({ length: count }, () => {
  const a = Math.floor(random.uniform() * players);
  const b = (a + 1 + Math.floor(random.uniform() * (players - 1))) % players;
  const chance = 1 / (1 + 10 ** ((b - a) / 100));
  const drawn = random.uniform();
  return { a, b, outcome: drawn < 0.2 ? 0.5 : random.uniform() < chance ? 1 : 0 };
});

const start = performance.now();
const { metrics } = scoreBattles({ models, battles }, { rounds, seed: 0 });
const seconds = (performance.now() - start) / 1000;
console.log({
  seconds: seconds.toFixed(1),
  memory: `${Math.round(process.resourceUsage().maxRSS / 1024)} MB`,
});
console.log(metrics[0], metrics.at(-1));
