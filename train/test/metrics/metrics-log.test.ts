import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { MetricsLog, metricsFileName, readMetrics } from '../../src/metrics/metrics-log.js';

t.test('each dump is one line with its step; what is not finite is left out', t => {
  const folder = t.testdir({});
  const log = new MetricsLog(folder);
  log.write(10, { 'train/critic_loss': 0.5, 'rollout/ep_rew_mean': Number.NaN });
  log.write(20, { 'train/critic_loss': 0.25 });
  log.close();
  t.strictSame(readMetrics(folder), [
    { 'time/total_timesteps': 10, 'train/critic_loss': 0.5 },
    { 'time/total_timesteps': 20, 'train/critic_loss': 0.25 },
  ]);
  t.end();
});

t.test('a run that resumes drops the lines after its checkpoint', t => {
  const folder = t.testdir({});
  const first = new MetricsLog(folder);
  for (const step of [10, 20, 30]) first.write(step, { a: step });
  first.close();
  const resumed = new MetricsLog(folder, 20);
  resumed.write(30, { a: -30 });
  resumed.close();
  t.strictSame(
    readMetrics(folder).map(line => line.a),
    [10, 20, -30],
  );
  t.end();
});

t.test('a line that a crash cut off is skipped, and an absent file is empty', t => {
  const folder = t.testdir({});
  t.strictSame(readMetrics(folder), []);
  const log = new MetricsLog(folder);
  log.write(10, { a: 1 });
  log.close();
  appendFileSync(join(folder, metricsFileName), '{"time/total_time');
  t.equal(readMetrics(folder).length, 1);
  t.end();
});
