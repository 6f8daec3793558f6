/** A report from the disk, as `kit hil` wrote it. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { KitError, messageOf } from '@sim2servo/models/error';
import { z } from 'zod';
import { type HilReport, reportFormat } from './report.js';

const passed = z.boolean();
const named = z.looseObject({ name: z.string(), passed });
const count = z.int().nonnegative();
const counts = z.looseObject({ ticks: count, missed: count, stale: count });
const histogram = z.looseObject({ p50: z.number(), p99: z.number(), p999: z.number(), count: z.number() });
/** What is read of one, by `kit hil compare`. */
const shape = z.looseObject({
  passed,
  rig: z.string(),
  unmeasured: z.string(),
  arms: z.array(z.looseObject({ robot: z.string(), rig: z.string(), checks: z.array(named) })),
  faults: z.array(named.extend({ bus: z.string(), stoppedMs: z.number().optional() })),
  safety: z.array(named),
  // Those that were made before there were takeovers in them have none.
  swaps: z.array(z.looseObject({ robot: z.string(), rig: z.string(), passed })).default([]),
  realTime: counts
    .extend({
      rateHz: z.number(),
      runs: z.array(counts).optional(),
      phases: z.record(z.string(), z.looseObject({ whole: histogram, runs: z.array(z.looseObject({})) })),
      punctual: named.optional(),
      killed: z.looseObject({ passed, stoppedMs: z.number() }).optional(),
    })
    .optional(),
});

/** @param path a report.json, or the folder that holds one. @throws KitError E_REPORT */
export function readReport(path: string): HilReport {
  const file = existsSync(path) && statSync(path).isDirectory() ? join(path, 'report.json') : path;
  let report: Partial<HilReport> | null;
  try {
    report = JSON.parse(readFileSync(file, 'utf8')) as Partial<HilReport> | null;
  } catch (error) {
    throw refused(`can't read ${file}: ${messageOf(error)}`);
  }
  if (report?.format !== reportFormat) throw refused(`${file} is no report of this kit (${reportFormat})`);
  const { success, data, error } = shape.safeParse(report);
  if (success) return data as object as HilReport;
  const [{ path: at, message }] = error.issues as [z.core.$ZodIssue];
  throw refused(`${file} is not whole: ${at.join('.')}: ${message}`);
}

function refused(message: string): KitError {
  return new KitError('E_REPORT', message, 'name a folder that `kit hil --report` wrote, or its report.json', 'usage');
}
