/**
 * `--engine auto`: measures each engine that starts here on the algorithm and sizes in question, picks the fastest, and remembers it for
 * the machine.
 *
 * Never the default: what a measurement picks may differ from day to day, and with it the run's last bits. The run folder records the
 * engine that was picked, so a run that is resumed goes on with it.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, availableParallelism, cpus, homedir } from 'node:os';
import { join } from 'node:path';
import { KitError, messageOf } from '@sim2servo/models/error';
import '@sim2servo/models/no-telemetry';
import { Random } from '@sim2servo/models/random';
import { z } from 'zod';
import type { Algorithm, Sizes } from '../algorithms/algorithm.js';
import { createEngine } from './create-engine.js';
import { type EngineName, engineNames } from './engine.js';
import { measureUpdates } from './measure-updates.js';
import { fusedProvider, nativeProvider } from './provider.js';

/** Updates to a call where a fused engine is measured and picked: enough that the device does not wait for the CPU. */
const updatesPerCall = 8;
/** A software graphics driver may take seconds for one update: an engine this much slower than the best is not measured to the end. */
const hopelessFactor = 10;

const measuredSchema = z.strictObject({
  engine: z.enum(engineNames),
  updatesPerSecond: z.number().optional(),
  /** Why there is no figure. */
  absent: z.string().optional(),
});
const choiceSchema = z.strictObject({
  format: z.literal('sim2servo/engine-choice@1'),
  engine: z.enum(engineNames),
  updatesPerCall: z.int().positive().optional(),
  measured: z.array(measuredSchema),
  date: z.string(),
});

type Measured = z.infer<typeof measuredSchema>;
type Choice = z.infer<typeof choiceSchema>;
/** `from`: where the figures come from, as {@link choiceLine} says it. */
export type EngineChoice = Choice & { readonly from: string };

export interface ChoiceOptions {
  /** Where choices are remembered: a folder of the user's cache. */
  readonly folder?: string;
  readonly candidates?: readonly EngineName[];
  /** For all candidates together, apart from what it takes to start them. */
  readonly measureMs?: number;
  /** Of the split engine. */
  readonly threads?: number;
}

/** The reference engines are no candidates: they are there to be compared with. */
export function candidatesHere(): EngineName[] {
  return ['split', 'fused-webgpu', `fused-${nativeProvider}`, 'eager-tfjs-node-gpu'];
}

/** `KIT_CACHE_DIR`, or sim2servo's folder in the user's cache. */
export function cacheFolder(): string {
  const { KIT_CACHE_DIR, XDG_CACHE_HOME } = process.env;
  return KIT_CACHE_DIR ?? join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'sim2servo');
}

export async function chooseEngine<Config>(
  algorithm: Algorithm<Config>,
  sizes: Sizes,
  config: Config,
  { folder = cacheFolder(), candidates = candidatesHere(), measureMs = 1000, threads = 1 }: ChoiceOptions = {},
): Promise<EngineChoice> {
  const file = join(folder, `engine-${keyOf(algorithm.name, sizes, config, candidates, threads)}.json`);
  const known = recall(file);
  const rate = rateOf(algorithm, sizes, config, threads);
  // A driver may have gone since.
  if (known !== undefined && (known.engine === 'split' || (await rate.starts(known.engine))))
    return { ...known, from: `measured on ${known.date.slice(0, 10)}` };
  const measured: Measured[] = [];
  for (const engine of candidates) {
    const best = Math.max(0, ...measured.map(({ updatesPerSecond = 0 }) => updatesPerSecond));
    measured.push(await rate.measure(engine, best, measureMs / candidates.length));
  }
  const { engine, updatesPerSecond } = measured.reduce((best, other) =>
    (other.updatesPerSecond ?? 0) > (best.updatesPerSecond ?? 0) ? other : best,
  );
  if (updatesPerSecond === undefined)
    throw new KitError(
      'E_ENGINE_MISSING',
      `No engine starts here: ${measured.map(({ absent }) => absent).join('; ')}`,
      'Type `kit doctor`.',
    );
  const choice: Choice = {
    format: 'sim2servo/engine-choice@1',
    engine,
    ...(fusedProvider(engine) !== undefined && { updatesPerCall }),
    measured,
    date: new Date().toISOString(),
  };
  return { ...choice, from: `measured now${remember(folder, file, choice)}` };
}

/** What was picked and why, in one line. */
export function choiceLine({ engine, measured, from }: EngineChoice): string {
  const figure = ({ engine, updatesPerSecond, absent }: Measured) =>
    updatesPerSecond === undefined
      ? `${engine} is not to be had (${absent})`
      : `${engine} ${rounded(updatesPerSecond)}`;
  const others = measured.filter(other => other.engine !== engine).map(figure);
  const mine = measured.find(other => other.engine === engine)!;
  return `engine ${engine}, the fastest here: ${rounded(mine.updatesPerSecond!)} updates/s${others.length > 0 ? `; ${others.join(', ')}` : ''} (${from})`;
}

/** Three digits. */
const rounded = (value: number): string => String(Number(value.toPrecision(3)));

/** How engines do on one algorithm and its sizes. */
function rateOf<Config>(algorithm: Algorithm<Config>, sizes: Sizes, config: Config, threads: number) {
  const rate = async (engine: EngineName, updatesPerCall: number | undefined, forMs: number) => {
    const made = await createEngine(engine, algorithm, sizes, config, new Random(0), {
      threads: engine === 'split' ? threads : 1,
      updatesPerCall,
    });
    try {
      return await measureUpdates(made, forMs);
    } finally {
      await made.dispose();
    }
  };
  /** What `work` comes to, or why the engine does not start. */
  const ifItStarts = async (engine: EngineName, work: () => Promise<number>): Promise<Measured> => {
    try {
      return { engine, updatesPerSecond: await work() };
    } catch (error) {
      if (error instanceof KitError && error.code === 'E_ENGINE_MISSING') return { engine, absent: error.message };
      throw error;
    }
  };
  return {
    measure: (engine: EngineName, best: number, ms: number) =>
      ifItStarts(engine, async () => {
        if (fusedProvider(engine) === undefined) return rate(engine, undefined, ms);
        const single = await rate(engine, 1, 0);
        return single * hopelessFactor < best ? single : rate(engine, updatesPerCall, ms);
      }),
    starts: async (engine: EngineName) =>
      (await ifItStarts(engine, () => rate(engine, undefined, 0))).absent === undefined,
  };
}

/** Another machine, version, algorithm, size or driver setting is another question. */
function keyOf(
  algorithm: string,
  sizes: Sizes,
  config: unknown,
  candidates: readonly EngineName[],
  threads: number,
): string {
  const require = createRequire(import.meta.url);
  const { version } = require('onnxruntime-node/package.json') as { version: string };
  const machine = [process.platform, arch(), cpus()[0]?.model, availableParallelism(), process.version, version];
  const drivers = [process.env.VK_ICD_FILENAMES, process.env.CUDA_VISIBLE_DEVICES];
  const question = JSON.stringify([machine, drivers, algorithm, sizes, config, candidates, threads]);
  return createHash('sha256').update(question).digest('hex').slice(0, 16);
}

/** A file that is absent, cut short or of another version is no answer: it is measured again and written over. */
function recall(file: string): Choice | undefined {
  try {
    return choiceSchema.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data;
  } catch {
    return undefined;
  }
}

/** Remembering is a convenience: where it can't be written the choice stands, and the line says so. */
function remember(folder: string, file: string, choice: Choice): string {
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${file}.new`, `${JSON.stringify(choice, undefined, 2)}\n`);
    renameSync(`${file}.new`, file);
    return '';
  } catch (error) {
    return `, not remembered: ${messageOf(error)}`;
  }
}
