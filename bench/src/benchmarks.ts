/** What `kit bench` measures: for each benchmark the work, and who else does it (bench/peers). */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BusKind } from '@sim2servo/hil-tests/rig/bus/create-bus';
import { KitError } from '@sim2servo/models/error';
import { Random } from '@sim2servo/models/random';
import { loopNodeFlags } from '@sim2servo/runtime/gc-pauses';
import { gymPrefix, gymTasks } from '@sim2servo/sim/gym/gym-task-named';
import { sac } from '@sim2servo/train/algorithms/sac';
import { initialState } from '@sim2servo/train/engine/initial-state';
import { exportActor } from '@sim2servo/train/export-actor';
import { identityNormaliser } from '@sim2servo/train/observation-normaliser';
import { busWorks, startBusRigs } from './bus-rigs.js';
import { type Contestant, machine, type Row, takeTurns, type Work } from './turns.js';

export const benchmarkNames = ['learner', 'env', 'actor', 'loop', 'jitter', 'bus'] as const;
export type BenchmarkName = (typeof benchmarkNames)[number];

export interface BenchmarkOptions {
  /** Cores that each program may use. */
  readonly threads: number;
  readonly repeats: number;
  /** Folder with the peers' Python environments, `sb3`, `sbx` and `lerobot`; without it only ours is measured. */
  readonly peers?: string | undefined;
  /** Every size instead of the usual one (learner). */
  readonly allSizes?: boolean | undefined;
  /** One kind of servo instead of each (bus). */
  readonly kind?: BusKind | undefined;
  readonly onTurn?: (what: string) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface BenchmarkReport {
  readonly benchmark: BenchmarkName;
  readonly machine: ReturnType<typeof machine>;
  /** How many cores each program was held to. */
  readonly cores: number;
  readonly rows: readonly Row[];
}

interface Benchmark {
  /** Each peer, and the Python environment that it lives in. */
  readonly peers: Readonly<Record<string, string>>;
  /** How Node is started for ours. */
  readonly nodeFlags?: readonly string[];
  works(options: BenchmarkOptions): readonly Work[];
  /** Makes what all contestants read or talk to. */
  prepare?(scratch: string, work: Work): Promise<Prepared> | Prepared;
}

interface Prepared {
  /** That name it. */
  readonly args: readonly string[];
  stop?(): Promise<void>;
}

/** The larger the update, the fewer are timed. */
function updatesFor(hidden: number, batch: number): number {
  return Math.max(60, Math.min(2000, Math.round(500 * ((256 * 256 * 256) / (hidden * hidden * batch)))));
}

const actorSizes = { observation: 11, action: 2 };

const benchmarks: Readonly<Record<BenchmarkName, Benchmark>> = {
  learner: {
    peers: { sb3: 'sb3', sbx: 'sbx' },
    works({ threads, allSizes }) {
      const sizes = allSizes
        ? [64, 128, 256, 512].flatMap(hidden => [64, 256, 1024, 4096].map(batch => ({ hidden, batch })))
        : [{ hidden: 256, batch: 256 }];
      return sizes.map(({ hidden, batch }) => ({ hidden, batch, threads, updates: updatesFor(hidden, batch) }));
    },
  },
  env: {
    peers: { gymnasium: 'sb3' },
    works: ({ threads }) =>
      gymTasks.map(({ name }) => ({
        task: name.slice(gymPrefix.length),
        environments: threads === 1 ? 1 : 32,
        threads,
        seconds: 2,
      })),
  },
  loop: {
    peers: { sb3: 'sb3', sbx: 'sbx' },
    works: ({ threads }) => [{ task: 'Reacher-v5', threads, steps: 2000 }],
  },
  jitter: {
    peers: { python: 'sb3', cyclictest: 'sb3' },
    nodeFlags: loopNodeFlags,
    // p99.9 of a thousand ticks would be a single one, and a machine's own bad moments come some seconds apart.
    works: () => [100, 500, 1000].map(hz => ({ hz, seconds: Math.max(30, 6000 / hz) })),
  },
  actor: {
    peers: { onnxruntime: 'sb3' },
    works: () => [0, 100, 500].map(hz => ({ hz, samples: hz === 100 ? 1000 : 5000 })),
    prepare(scratch) {
      const model = join(scratch, 'actor.onnx');
      const state = initialState(sac.declare(actorSizes, sac.defaults), new Random(0));
      const normaliser = identityNormaliser(actorSizes.observation);
      writeFileSync(model, exportActor(sac, actorSizes, sac.defaults, state, normaliser));
      return { args: ['--model', model] };
    },
  },
  bus: {
    peers: { lerobot: 'lerobot' },
    nodeFlags: loopNodeFlags,
    works: ({ kind }) => busWorks(kind),
    prepare: (_scratch, work) => startBusRigs(work),
  },
};

/** @throws KitError E_PEERS where the folder has none of the peers' environments */
export async function runBenchmark(name: BenchmarkName, options: BenchmarkOptions): Promise<BenchmarkReport> {
  const scratch = mkdtempSync(join(tmpdir(), 'kit-bench-'));
  try {
    const { peers, works, prepare, nodeFlags = [] } = benchmarks[name];
    const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));
    const pythons = pythonsOf(options.peers, peers);
    const rows: Row[] = [];
    for (const work of works(options)) {
      const { args, stop } = (await prepare?.(scratch, work)) ?? { args: [] };
      const contestants: Contestant[] = [
        { name: 'ours', command: [process.execPath, ...nodeFlags, here('./measure.js'), name, ...args] },
        ...pythons.map(({ peer, python }) => ({
          name: peer,
          // Two folders above dist/src.
          command: [python, here(`../../peers/${name}_${peer}.py`), ...args],
        })),
      ];
      try {
        rows.push(await takeTurns(contestants, work, { ...options, cores: options.threads, folder: scratch }));
      } finally {
        await stop?.();
      }
    }
    return { benchmark: name, machine: machine(), cores: options.threads, rows };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function pythonsOf(
  folder: string | undefined,
  peers: Readonly<Record<string, string>>,
): { peer: string; python: string }[] {
  if (folder === undefined) return [];
  const environments = [...new Set(Object.values(peers))];
  const found = Object.entries(peers)
    .map(([peer, environment]) => ({ peer, python: resolve(folder, environment, 'bin', 'python') }))
    .filter(({ python }) => existsSync(python));
  if (found.length === 0)
    throw new KitError(
      'E_PEERS',
      `${folder} has no Python environment of ${environments.join(' or ')}`,
      `make one: python3 -m venv ${join(folder, environments[0]!)}, and install what bench/peers/README.md says`,
      'usage',
    );
  return found;
}
