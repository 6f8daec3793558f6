/** What a log says about how the arm was moved: the episodes to repeat, checked against the robot that shall repeat them. */
import { shortDigest } from '@sim2servo/models/digest';
import { KitError } from '@sim2servo/models/error';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import type { TransitionRecord } from '@sim2servo/models/transition';
import { readLog } from '../log-reader.js';

export interface RecordedStep {
  /** Tick of the episode; a gap means that ticks are missing in between. */
  readonly step: number;
  /** [joints] measured at the beginning of the tick, rad. */
  readonly position: Float64Array;
  /** [joints] what was executed in it, rad. */
  readonly target: Float64Array;
}

export interface RecordedEpisode {
  readonly episode: number;
  /** [3] at its beginning, m. */
  readonly goal: Float64Array;
  /** At least one, in order. */
  readonly steps: readonly RecordedStep[];
}

export interface RecordedMotion {
  readonly task: string;
  readonly controlRateHz: number;
  readonly episodes: readonly RecordedEpisode[];
}

/**
 * @param episode only this one; by default all but the lead-in
 * @throws KitError E_LOG_READ, E_LOG_FORMAT, E_LOG_CUT, E_LOG_ROBOT, E_LOG_SHAPE, E_LOG_VALUE, E_LOG_EPISODE
 */
export function recordedMotion(path: string, robot: LoadedRobot, episode?: number): RecordedMotion {
  let header: ReadonlyMap<string, string> = new Map();
  const episodes = new Map<number, { goal: Float64Array; steps: RecordedStep[] }>();
  const seen = new Set<number>();
  let records = 0;
  const scan = readLog(path, {
    metadata: metadata => {
      header = metadata;
      checkRobot(path, metadata, robot);
    },
    record: record => {
      records++;
      seen.add(record.episode);
      if (episode === undefined ? record.episode === 0 : record.episode !== episode) return;
      const found = episodes.get(record.episode) ?? { goal: Float64Array.from(record.goal), steps: [] };
      episodes.set(record.episode, found);
      found.steps.push(stepOf(path, records, record, robot));
    },
  });
  if (!scan.complete || scan.damage !== '')
    throw new KitError(
      'E_LOG_CUT',
      `${path} is cut off${scan.damage === '' ? '' : ` or damaged: ${scan.damage}`}`,
      `mend it with kit logs recover ${path}`,
      'usage',
    );
  const controlRateHz = Number(header.get('controlRateHz'));
  if (!(controlRateHz > 0) || header.get('task') === undefined)
    throw new KitError(
      'E_LOG_FORMAT',
      `${path} does not say its task and rate`,
      'name a file that the kit wrote',
      'usage',
    );
  if (episodes.size === 0) {
    const there = [...seen].filter(number => number !== 0);
    throw new KitError(
      'E_LOG_EPISODE',
      `${path} has no ${episode === undefined ? 'episode' : `episode ${episode}`}`,
      there.length === 0 ? 'nothing was pursued in it' : `it has ${rangeWords(there)}`,
      'usage',
    );
  }
  return {
    task: header.get('task')!,
    controlRateHz,
    episodes: [...episodes].map(([number, found]) => ({ episode: number, ...found })),
  };
}

function checkRobot(path: string, header: ReadonlyMap<string, string>, { spec, specSha256 }: LoadedRobot): void {
  const digest = header.get('specSha256');
  if (digest === specSha256) return;
  const name = header.get('robot');
  throw new KitError(
    'E_LOG_ROBOT',
    `${path} is of ${name === spec.name ? `another ${name}` : (name ?? 'an unnamed robot')} (spec ${digest?.slice(0, 12) ?? 'unknown'}…), and this is ${spec.name} (${shortDigest(specSha256)})`,
    'name its robot with --robot, or the robot.json that it was recorded with',
    'usage',
  );
}

function stepOf(path: string, number: number, record: TransitionRecord, { spec }: LoadedRobot): RecordedStep {
  const { step, position, target } = record;
  const joints = spec.joints.length;
  if (position.length !== joints || target.length !== joints)
    throw new KitError(
      'E_LOG_SHAPE',
      `record ${number} of ${path} has ${target.length} targets; ${spec.name} has ${joints} joints`,
      'take a log of this robot',
      'usage',
    );
  const at = Array.from(target).findIndex(value => !Number.isFinite(value));
  if (at >= 0)
    throw new KitError(
      'E_LOG_VALUE',
      `record ${number} of ${path} has ${target[at]} as the target of '${spec.joints[at]!.name}'`,
      'choose another episode with --episode',
    );
  return { step, position: Float64Array.from(position), target: Float64Array.from(target) };
}

/** 1, 2, 3, 7 → '1 to 7' */
function rangeWords(numbers: readonly number[]): string {
  const [first, last] = [Math.min(...numbers), Math.max(...numbers)];
  return first === last ? `${first}` : `${numbers.length}, from ${first} to ${last}`;
}
