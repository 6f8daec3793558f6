/** desk2 with Feetech servos instead of its hobby servos: the arm that the bus rigs are tested with. */
import { cpSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LoadedRobot, loadRobot } from '@sim2servo/models/robot-folder';

/** The two joints, one of them counting backwards. */
export const feetechSite = {
  format: 'sim2servo/site@1',
  bus: { kind: 'feetech', baudRate: 1_000_000, leadMs: 100 },
  servos: [
    { kind: 'feetech', model: 'sts3215', joint: 'shoulder', id: 1, zeroCount: 2048, direction: 1 },
    { kind: 'feetech', model: 'sts3215', joint: 'elbow', id: 2, zeroCount: 3000, direction: -1 },
  ],
};

/** A robot folder of it in a new temporary folder. */
export function feetechFolder(bus: object = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'feetech-desk2-'));
  cpSync(loadRobot('desk2').folder, folder, { recursive: true });
  const site = { ...feetechSite, bus: { ...feetechSite.bus, ...bus } };
  writeFileSync(join(folder, 'site.json'), JSON.stringify(site));
  return folder;
}

export const feetechArm = (bus?: object): LoadedRobot => loadRobot(feetechFolder(bus));
