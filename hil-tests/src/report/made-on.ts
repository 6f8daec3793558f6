/** Where and when a report was made, and with what. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { firmwareImage } from '@sim2servo/firmware-bridge/firmware-image';

export interface MadeOn {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly system: string;
  readonly node: string;
  readonly kit: string;
  /** First digits of the SHA-256 of the firmware image. */
  readonly firmware: string;
}

export function madeOn(): MadeOn {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    system: `${process.platform} ${release()} ${process.arch}`,
    node: process.version,
    kit: version,
    firmware: createHash('sha256').update(readFileSync(firmwareImage)).digest('hex').slice(0, 12),
  };
}
