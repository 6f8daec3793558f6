/** Logs for the tests of datasets: of a robot that ships, with every number different and the awkward ones among them. */
import { observationSize } from '@sim2servo/models/observe';
import { loadRobot } from '@sim2servo/models/robot-folder';
import type { TransitionRecord } from '@sim2servo/models/transition';
import { createLogFile } from '@sim2servo/runtime/log-file';
import { readLog } from '@sim2servo/runtime/log-reader';
import { LogWriter } from '@sim2servo/runtime/log-writer';

export function headerOf(robotName: string): Record<string, string> {
  const { spec, specSha256 } = loadRobot(robotName);
  return { robot: spec.name, specSha256, policyDigest: 'b'.repeat(64), task: 'reach', controlRateHz: '50' };
}

export const ticksPerEpisode = 10;

/** The `i`-th tick: episodes of {@link ticksPerEpisode}, step 7 of each second one lost. */
export function writtenRecord(robotName: string, i: number): TransitionRecord {
  const { spec } = loadRobot(robotName);
  const n = spec.joints.length;
  const step = i % ticksPerEpisode;
  const episode = Math.floor(i / ticksPerEpisode);
  const angles = (phase: number) =>
    spec.joints.map(({ range: [low, high] }, j) => low + (high - low) * (0.5 + 0.49 * Math.sin(i + j / 3 + phase)));
  const floats = (count: number, phase: number) =>
    Array.from({ length: count }, (_, k) => Math.fround(Math.sin(i * 7 + k + phase)));
  return {
    timeS: 1_700_000_000 + i * 0.02 + 1e-7,
    episode: 3 + episode,
    step: episode % 2 === 1 && step >= 7 ? step + 1 : step,
    observation: floats(observationSize(spec), 0),
    // What a policy asks for may be no number, and -0 is another number than 0.
    actionRequested: i === 4 ? [Number.NaN, ...Array(n - 1).fill(-0)] : floats(n, 1),
    actionExecuted: i === 5 ? Array(n).fill(-0) : floats(n, 2),
    position: angles(0),
    velocity: i === 5 ? Array(n).fill(-0) : angles(1).map(angle => angle / 3),
    target: angles(2),
    goal: [0.1 + i / 3000, -0.02, 5e-324],
    limiters: i % 256,
    late: i % 3 === 0,
    stale: i % 5 === 0,
    terminated: i === 19,
    truncated: i !== 19 && step === ticksPerEpisode - 1,
    policyDigest: (i < 15 ? 'b' : 'c').repeat(64),
  };
}

export function writeLog(path: string, robotName: string, records: number, header = headerOf(robotName)): void {
  const writer = new LogWriter(createLogFile(path), new Map(Object.entries(header)));
  for (let i = 0; i < records; i++) {
    writer.add(writtenRecord(robotName, i));
    if (i % ticksPerEpisode === ticksPerEpisode - 1) writer.closeChunk();
  }
  writer.finish();
}

export interface ReadLog {
  readonly header: Record<string, string>;
  readonly records: TransitionRecord[];
}

export function logOf(path: string): ReadLog {
  let header: Record<string, string> = {};
  const records: TransitionRecord[] = [];
  readLog(path, {
    metadata: metadata => {
      header = Object.fromEntries(metadata);
    },
    record: record => records.push(record),
  });
  return { header, records };
}
