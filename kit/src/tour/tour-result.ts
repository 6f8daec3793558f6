/** What `npm start` found out: one record, for the last line of `--json` and for the words at the end. */

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

export interface TourResult {
  readonly train: {
    readonly steps: number;
    readonly seconds: number;
    readonly stepsPerSecond: number;
    readonly updatesPerSecond: number;
    readonly return: number;
    readonly run: string;
  };
  readonly export: { readonly bundle: string; readonly bytes: number; readonly goldenMaxError: number };
  readonly run: {
    readonly ticks: number;
    readonly missed: number;
    readonly reached: number;
    readonly targets: number;
    readonly meanErrorMm: number;
    readonly log: string;
    /** More than 1 where the machine was too busy at first. */
    readonly attempts: number;
    readonly realTimeFactor: number;
    /** False where the machine was too slow to emulate in real time: the latencies inside the board are null then. */
    readonly keptUp: boolean;
    readonly periodErrorUs: Percentiles;
    readonly inferUs: Percentiles;
    readonly sensorToRegisterUs: Percentiles | null;
    readonly registerToPulseUs: Percentiles | null;
  };
  readonly stop: { readonly holdMs: number };
  readonly finetune: {
    readonly transitions: number;
    readonly errorNominalMm: number;
    readonly errorBeforeMm: number;
    readonly errorAfterMm: number;
    readonly bundle: string;
  };
  readonly figures: readonly string[];
  readonly passed: boolean;
  readonly failures: readonly string[];
  readonly seconds: number;
}

/** Of a list of numbers. */
export function percentiles(values: readonly number[]): Percentiles {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999) };
}
