/**
 * Programs that do the same work in turns, on the same cores of the same machine: ours, then each peer, and again. Machines change their
 * speed from minute to minute, so what counts is the ratio of two neighbours; the median of the repeats is given with its spread.
 */
import { execFile, spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { promisify } from 'node:util';
import { KitError, messageOf } from '@sim2servo/models/error';

/** What a program is told, as `--name value`. */
export type Work = Readonly<Record<string, string | number>>;

/** What a program measured. */
export type Figures = Readonly<Record<string, number>>;

export interface Contestant {
  readonly name: string;
  /** Program and first arguments; the work follows. */
  readonly command: readonly string[];
}

export interface Spread {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
}

export interface Row {
  readonly work: Work;
  /** By contestant, a record for each repeat. */
  readonly measured: Readonly<Record<string, readonly Figures[]>>;
  /** By peer and figure: ours divided by the peer's of the same repeat. */
  readonly ratios: Readonly<Record<string, Readonly<Record<string, Spread>>>>;
}

export interface TurnsOptions {
  readonly repeats: number;
  /** Programs are held to the first so many cores. */
  readonly cores: number;
  /** Where they run: what they leave behind stays there. */
  readonly folder: string;
  readonly onTurn?: (what: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** @param contestants  ours is the first */
export async function takeTurns(contestants: readonly Contestant[], work: Work, options: TurnsOptions): Promise<Row> {
  const [ours, ...peers] = contestants;
  const measured: Record<string, Figures[]> = Object.fromEntries(contestants.map(({ name }) => [name, []]));
  for (let repeat = 1; repeat <= options.repeats; repeat++) {
    for (const contestant of contestants) {
      options.onTurn?.(`${inWords(work)}: turn ${repeat} of ${options.repeats}, ${contestant.name}`);
      measured[contestant.name]!.push(await measure(contestant, work, options));
    }
  }
  const own = measured[ours!.name]!;
  return {
    work,
    measured,
    ratios: Object.fromEntries(peers.map(({ name }) => [name, ratiosOf(own, measured[name]!)])),
  };
}

/** `hidden 256, batch 256` */
export function inWords(work: Work): string {
  return Object.entries(work)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

function ratiosOf(own: readonly Figures[], peer: readonly Figures[]): Record<string, Spread> {
  const shared = Object.keys(own[0]!).filter(figure => figure in peer[0]!);
  return Object.fromEntries(
    shared.map(figure => [figure, spreadOf(own.map((figures, i) => figures[figure]! / peer[i]![figure]!))]),
  );
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, lowest: sorted[0]!, highest: sorted.at(-1)! };
}

async function measure({ name, command }: Contestant, work: Work, options: TurnsOptions): Promise<Figures> {
  const settings = Object.entries(work).flatMap(([key, value]) => [`--${key}`, String(value)]);
  const held = canHoldCores() ? ['taskset', '--cpu-list', `0-${options.cores - 1}`] : [];
  const [program, ...args] = [...held, ...command, ...settings];
  let out: string;
  try {
    ({ stdout: out } = await promisify(execFile)(program!, args, { signal: options.signal, cwd: options.folder }));
  } catch (error) {
    if (options.signal?.aborted) throw new KitError('E_INTERRUPTED', 'interrupted', 'run it again', 'interrupt');
    // Python ends with what went wrong, Node with its own version.
    const lines = (error as { stderr?: string }).stderr?.trim().split('\n') ?? [];
    const said = lines.findLast(line => line.includes('Error')) ?? lines.at(-1);
    throw new KitError(
      'E_BENCH',
      `${name} failed at ${inWords(work)}: ${said || messageOf(error)}`,
      `try it alone: ${[program, ...args].join(' ')}`,
    );
  }
  const figures = JSON.parse(out.trim().split('\n').at(-1)!) as Record<string, unknown>;
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => typeof value === 'number')) as Figures;
}

/** Only Linux has a program for it; elsewhere every program takes what it likes, and the report says so. */
export function canHoldCores(): boolean {
  return spawnSync('taskset', ['--version']).status === 0;
}

/** Where and when a report was made. */
export function machine(): Record<string, string | number | boolean> {
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    coresHeld: canHoldCores(),
  };
}
