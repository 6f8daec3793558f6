/** `npm run long`: what takes too long for every change. Raw results go to bench/results/. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root, setup } from './setup.mjs';

setup();
const jobs = [
  ['twenty seeds of npm start', 'kit/dist/src/tour/twenty-seeds.js', 'bench/results/twenty-seeds.json'],
  // With KIT_PEERS=folder beside Stable-Baselines3's (bench/peers/README.md).
  ['learning curves', 'bench/dist/src/learning-curves.js', 'bench/results/learning-curves.json'],
  ['held-out targets in a row', 'bench/dist/src/held-out-targets.js', 'bench/results/held-out-targets.json'],
  ['policies on trial', 'kit/dist/test/targets/judged-trials.js', 'bench/results/judged-trials.json'],
  [
    'a thousand killed deployments',
    'kit/dist/test/targets/killed/kill-a-thousand.js',
    'bench/results/deployment-kills.json',
  ],
  ['an hour and ten minutes of control', 'kit/dist/src/soak/soak.js', 'bench/results/soak.json'],
];
// Ctrl-C reaches the program under way as well: it may have something to keep, and its end is waited for.
process.on('SIGINT', () => {});
for (const [what, program, out] of jobs) {
  process.stderr.write(`${what} → ${out}\n`);
  const { status } = spawnSync(process.execPath, [join(root, program), join(root, out)], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
