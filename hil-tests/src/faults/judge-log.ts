/** Whether the log of a run is whole up to its end, or as far as a log can be that was cut. */
import { readLog } from '@sim2servo/runtime/log-reader';

export interface LogOutcome {
  /** Records that can be read. */
  readonly records: number;
  /** Ticks that were handed to the recorder, and those of them that it had no room for and counted. */
  readonly ticks: number;
  readonly dropped: number;
  /** Whether it ends as a finished log does. */
  readonly complete: boolean;
  /** Why it is not as it should be; empty where it is. */
  readonly wrong: string;
}

/** A log that was cut may lack what was in its open chunk: a second, and the time between two looks of the recorder. */
const openChunkS = 1.1;
/** Its times are those of the loop's clock; a tick is noted at its end, and may have taken long. */
const toleranceS = 1;

/**
 * @param spanS  from the first tick to the last, by the clock of the loop
 * @param closed whether the recorder could end it
 */
export function judgeLog(
  path: string,
  run: {
    readonly ticks: number;
    readonly dropped: number;
    readonly spanS: number;
    readonly rateHz: number;
    readonly closed: boolean;
  },
): LogOutcome {
  const { ticks, dropped, spanS, rateHz, closed } = run;
  const times: number[] = [];
  const { records, complete, damage } = readLog(path, { record: ({ timeS }) => times.push(timeS) });
  const wrong: string[] = [];
  if (damage !== '') wrong.push(`it is damaged: ${damage}`);
  if (times.some((timeS, i) => i > 0 && timeS <= times[i - 1]!)) wrong.push('its times run backwards');
  if (closed) {
    if (!complete) wrong.push('it has no end');
    if (records !== ticks - dropped)
      wrong.push(`it has ${records} of ${ticks} ticks, and ${dropped} were counted as dropped`);
    const loggedS = (times.at(-1) ?? 0) - (times[0] ?? 0);
    if (dropped === 0 && Math.abs(loggedS - spanS) > toleranceS)
      wrong.push(`it spans ${loggedS.toFixed(3)} s of the run's ${spanS.toFixed(3)} s`);
  } else if (records < ticks - openChunkS * rateHz)
    wrong.push(`${records} of ${ticks} ticks can be read, less than all but the last second`);
  return { records, ticks, dropped, complete, wrong: wrong.join('; ') };
}
