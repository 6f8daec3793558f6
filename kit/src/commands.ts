/** All commands, in the order that the help shows them. */
import type { AddCommand } from './command-context.js';
import { addBench } from './commands/bench.js';
import { addBridge } from './commands/bridge.js';
import { addCalibrate } from './commands/calibrate.js';
import { addCheck } from './commands/check.js';
import { addDeploy } from './commands/deploy.js';
import { addDevice } from './commands/device.js';
import { addDoctor } from './commands/doctor.js';
import { addEngine } from './commands/engine.js';
import { addEval } from './commands/eval.js';
import { addExport } from './commands/export.js';
import { addFinetune } from './commands/finetune.js';
import { addFleet } from './commands/fleet.js';
import { addHil } from './commands/hil.js';
import { addInit } from './commands/init.js';
import { addInspect } from './commands/inspect.js';
import { addKeys } from './commands/keys.js';
import { addLogs } from './commands/logs.js';
import { addProvision } from './commands/provision.js';
import { addRecord } from './commands/record.js';
import { addReplay } from './commands/replay.js';
import { addRun } from './commands/run.js';
import { addStart } from './commands/start.js';
import { addStop } from './commands/stop.js';
import { addTeleop } from './commands/teleop.js';
import { addTour } from './commands/tour.js';
import { addTrain } from './commands/train.js';

export const commands: readonly AddCommand[] = [
  addDoctor,
  addDevice,
  addCalibrate,
  addEngine,
  addInit,
  addCheck,
  addTrain,
  addEval,
  addExport,
  addInspect,
  addKeys,
  addProvision,
  addDeploy,
  addFleet,
  addStart,
  addStop,
  addRun,
  addTeleop,
  addRecord,
  addReplay,
  addBridge,
  addLogs,
  addFinetune,
  addHil,
  addBench,
  addTour,
];
