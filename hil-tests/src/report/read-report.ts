/** A report from the disk, as `kit hil` wrote it. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { KitError, messageOf } from '@sim2servo/models/error';
import { type HilReport, reportFormat } from './report.js';

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
  return report as HilReport;
}

function refused(message: string): KitError {
  return new KitError('E_REPORT', message, 'name a folder that `kit hil --report` wrote, or its report.json', 'usage');
}
