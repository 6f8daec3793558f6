/** Tick records and logs for tests: every field different, so that a swapped one shows. */
import { createLogFile } from '../../src/log-file.js';
import { type LogHeader, LogWriter } from '../../src/log-writer.js';
import { createTickRecord, type RecordSizes, type TickRecord } from '../../src/tick-record.js';

export const sizes: RecordSizes = { observation: 4, joints: 2 };

export const header: LogHeader = {
  robot: 'desk2',
  specSha256: 'a'.repeat(64),
  policyDigest: 'b'.repeat(64),
  task: 'reach',
  controlRateHz: 50,
};

export const metadata = new Map(Object.entries(header).map(([key, value]) => [key, String(value)]));

export function sampleTick(i: number): TickRecord {
  const tick = createTickRecord(sizes);
  tick.timeS = 1_700_000_000 + i * 0.02;
  tick.episode = Math.floor(i / 10);
  tick.step = i % 10;
  tick.limiters = i % 128;
  tick.late = i % 3 === 0;
  tick.stale = i % 5 === 0;
  tick.terminated = i % 7 === 0;
  tick.truncated = i % 10 === 9;
  let at = i * 100;
  for (const array of [
    tick.observation,
    tick.actionRequested,
    tick.actionExecuted,
    tick.position,
    tick.velocity,
    tick.target,
    tick.goal,
  ])
    for (let k = 0; k < array.length; k++) array[k] = at++;
  return tick;
}

/** A finished log of `chunks` chunks with `perChunk` records each. */
export function writeSampleLog(path: string, chunks: number, perChunk: number): void {
  const writer = new LogWriter(createLogFile(path), metadata);
  for (let i = 0; i < chunks * perChunk; i++) {
    writer.add({ ...sampleTick(i), policyDigest: header.policyDigest });
    if (i % perChunk === perChunk - 1) writer.closeChunk();
  }
  writer.finish();
}
