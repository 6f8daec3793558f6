/** The bus cycle of a robot that nobody has connected yet: its servos as they leave the factory, the slowest that they may be. */
import type { BusCycle } from '@sim2servo/models/bus-cycle';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import { siteOn } from '@sim2servo/models/site';
import { CycleRead } from './dynamixel/cycle-read.js';
import { dynamixelCycle } from './dynamixel/dynamixel-cycle.js';
import { controlTable, dynamixelModels, returnDelayStepUs } from './dynamixel/registers.js';
import { feetechCycle } from './feetech/feetech-cycle.js';
import { returnDelayUs, sts3215 } from './feetech/registers.js';
import { PulseMap } from './kitlink/pulse-map.js';

/** Of the firmware that ships (KL_CHANNELS in firmware/wire.h). */
const boardChannels = 2;

/**
 * @returns undefined for a bus that is no wire of servos: a board has its own clock, and behind a broker it is the bridge's
 * @throws KitError E_CHANNEL where a board has no such channels
 */
export function plannedCycle({ spec, site }: Pick<LoadedRobot, 'spec' | 'site'>): BusCycle | undefined {
  switch (site.bus.kind) {
    case 'kitlink':
      new PulseMap(spec, site, boardChannels);
      return undefined;
    case 'mqtt':
      return undefined;
    case 'feetech': {
      const { length } = site.servos;
      return feetechCycle(length, site.bus.baudRate, length * sts3215.returnDelay.initial * returnDelayUs);
    }
    case 'dynamixel': {
      const { bus, servos } = siteOn(site, 'dynamixel');
      const oldest = servos.map(({ id, model: name }) => {
        const model = dynamixelModels[name];
        const delay = controlTable(model).returnDelayTime;
        return { id, model, firmware: model.watchdogFirmware, returnDelayUs: delay.initial * returnDelayStepUs };
      });
      return dynamixelCycle(oldest, new CycleRead(oldest), bus.baudRate);
    }
  }
}
