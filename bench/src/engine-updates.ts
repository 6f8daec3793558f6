/**
 * SAC updates a second: the split engine on one thread against Stable-Baselines3 on one thread, in turns, on the same machine.
 *
 * One update is the same work on both sides: draw a batch of transitions from a replay of random ones, the critics' and the actor's step,
 * the temperature's, and the target average; 11 observations and 2 actions. Prints one JSON object, and writes it where `--out` says. The
 * peer is run where KIT_PEER_PYTHON names a Python that has stable-baselines3.
 *
 * usage: node bench/dist/src/engine-updates.js [--updates 500] [--repeats 3] [--out bench/results/engine-updates.json]
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Random } from '@sim2servo/models/random';
import { sac } from '@sim2servo/train/algorithms/sac';
import { createEngine } from '@sim2servo/train/engine/create-engine';
import type { Engine } from '@sim2servo/train/engine/engine';

const sizes = { observation: 11, action: 2 };
const replaySize = 10_000;
const warmUp = 50;

interface Work {
  readonly hidden: number;
  readonly batch: number;
  readonly updates: number;
}

interface Measurement {
  readonly program: string;
  readonly updatesPerSecond: number;
}

/** Random transitions, column by column as the engine names them. */
function randomReplay(engine: Engine, batchSize: number, random: Random): Record<string, Float32Array> {
  return Object.fromEntries(
    Object.entries(engine.batch).map(([name, column]) => {
      const values = new Float32Array((column.length / batchSize) * replaySize);
      if (name === 'terminated') values.set(values.map(() => Number(random.uniform() < 0.05)));
      else if (name === 'action') values.set(values.map(() => random.uniform(-1, 1)));
      else random.fillNormal(values);
      return [name, values];
    }),
  );
}

function drawBatch(engine: Engine, replay: Record<string, Float32Array>, rows: Int32Array, random: Random): void {
  for (let i = 0; i < rows.length; i++) rows[i] = random.integer(replaySize);
  for (const [name, column] of Object.entries(engine.batch)) {
    const source = replay[name]!;
    const width = column.length / rows.length;
    for (let i = 0; i < rows.length; i++) {
      for (let j = 0; j < width; j++) column[i * width + j] = source[rows[i]! * width + j]!;
    }
  }
}

async function measureOurs({ hidden, batch, updates }: Work): Promise<Measurement> {
  const random = new Random(0);
  const config = { ...sac.defaults, hiddenSizes: [hidden, hidden], batchSize: batch };
  const engine = await createEngine('split', sac, sizes, config, random.fork('engine'));
  const replay = randomReplay(engine, batch, random);
  const rows = new Int32Array(batch);
  let start = 0;
  for (let i = -warmUp; i < updates; i++) {
    if (i === 0) start = performance.now();
    drawBatch(engine, replay, rows, random);
    engine.drawNoise(random);
    const running = engine.update();
    if (running instanceof Promise) await running;
  }
  const seconds = (performance.now() - start) / 1000;
  await engine.dispose();
  return { program: 'sim2servo split', updatesPerSecond: updates / seconds };
}

function measurePeer(python: string, { hidden, batch, updates }: Work): Measurement {
  // Two folders above dist/src.
  const script = fileURLToPath(new URL('../../peers/sb3_updates.py', import.meta.url));
  const settings = { threads: 1, updates, hidden, batch, warmup: warmUp };
  const options = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return JSON.parse(execFileSync(python, [script, ...options], { encoding: 'utf8' })) as Measurement;
}

const { values: options } = parseArgs({
  options: {
    updates: { type: 'string', default: '500' },
    repeats: { type: 'string', default: '3' },
    out: { type: 'string' },
  },
});
const python = process.env.KIT_PEER_PYTHON;
const results = [];
for (const hidden of [256, 64]) {
  // The small network is a tenth of the work.
  const work: Work = { hidden, batch: 256, updates: Number(options.updates) * (hidden === 64 ? 4 : 1) };
  const ours: Measurement[] = [];
  const peer: Measurement[] = [];
  for (let i = 0; i < Number(options.repeats); i++) {
    ours.push(await measureOurs(work));
    if (python !== undefined) peer.push(measurePeer(python, work));
  }
  const ratios = peer.map(({ updatesPerSecond }, i) => ours[i]!.updatesPerSecond / updatesPerSecond);
  results.push({ ...work, ...sizes, threads: 1, ours, peer, medianRatio: median(ratios) });
}
const report = {
  benchmark: 'SAC updates per second',
  date: new Date().toISOString(),
  machine: { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, platform: process.platform },
  results,
};
if (options.out !== undefined) {
  mkdirSync(dirname(options.out), { recursive: true });
  writeFileSync(options.out, `${JSON.stringify(report, undefined, 2)}\n`);
}
console.log(JSON.stringify(report));

function median(values: readonly number[]): number | null {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? null;
}
