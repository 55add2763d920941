// Simulated lives beyond those that the tests live: `npm run sim -- --seeds 20000`, or one again: `npm run sim -- --seed 7`.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { seeds: { type: 'string' }, seed: { type: 'string' } } });
for (const [name, value] of Object.entries(values)) {
  if (/^\d+$/.test(value)) continue;
  process.stderr.write(`usage: npm run sim -- [--seeds NUMBER | --seed NUMBER]\n--${name} ${value} is no number\n`);
  process.exit(2);
}
const env = { ...process.env };
if (values.seeds) env.PAWL_SIM_SEEDS = values.seeds;
if (values.seed) env.PAWL_SIM_SEED = values.seed;
const { status } = spawnSync('npx', ['vitest', 'run', 'test/sim', '-t', 'whatever happens'], { stdio: 'inherit', env });
process.exit(status ?? 1);
