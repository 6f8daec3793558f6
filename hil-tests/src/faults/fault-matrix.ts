/**
 * The fault matrix: each fault of each bus that can have it, done to the real loop, recorder and link in virtual time. One column a bus,
 * one row a kind of fault.
 */
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import type { Bus } from '@sim2servo/models/site';
import type { AnyServo } from '../rig/bus/create-bus.js';
import type { DynamixelServo } from '../rig/bus/dynamixel/dynamixel-servo.js';
import type { Sts3215 } from '../rig/bus/sts3215.js';
import type { ArmUnderTest } from './arm-under-test.js';
import { boardFaults } from './board-faults.js';
import { BoardUnderTest } from './board-under-test.js';
import { brokerFaults } from './broker-faults.js';
import { BrokerUnderTest } from './broker-under-test.js';
import { diskFaults } from './disk-faults.js';
import { dynamixelFaults } from './dynamixel-faults.js';
import type { Fault, FaultRow } from './fault.js';
import { hostFaults } from './host-faults.js';
import type { FaultOutcome } from './judge-fault.js';
import { LoopBench } from './loop-bench.js';
import { ServoBusUnderTest } from './servo-bus-under-test.js';
import { sts3215Faults } from './sts3215-faults.js';
import { wireFaults } from './wire-faults.js';

export type BusColumn = Bus['kind'];

interface ColumnFault {
  readonly row: FaultRow;
  readonly name: string;
  /** A bench and an arm of its own for each. */
  suffer(robot: LoadedRobot): Promise<FaultOutcome>;
}

function column<Arm extends ArmUnderTest>(
  create: (robot: LoadedRobot) => Promise<Arm>,
  faults: readonly Fault<Arm>[],
): readonly ColumnFault[] {
  return [...faults, ...hostFaults, ...diskFaults].map(fault => ({
    row: fault.row,
    name: fault.name,
    async suffer(robot) {
      const bench = new LoopBench(await create(robot));
      try {
        return await bench.suffer(fault);
      } finally {
        await bench.dispose();
      }
    },
  }));
}

export const faultColumns: Readonly<Record<BusColumn, readonly ColumnFault[]>> = {
  kitlink: column(BoardUnderTest.create, boardFaults),
  feetech: column(ServoBusUnderTest.alone<Sts3215>, [...onWire<Sts3215>(), ...sts3215Faults]),
  dynamixel: column(ServoBusUnderTest.alone<DynamixelServo>, [...onWire<DynamixelServo>(), ...dynamixelFaults]),
  mqtt: column(BrokerUnderTest.create, brokerFaults),
};

/** The wire has no say in what hangs on it. */
function onWire<Servo extends AnyServo>(): readonly Fault<ServoBusUnderTest<Servo>>[] {
  return wireFaults;
}

/** Why a bus can not have a fault. */
export const absentFaults: Readonly<Partial<Record<FaultRow, Partial<Record<BusColumn, string>>>>> = {
  'byte dropped': { mqtt: 'TCP delivers bytes' },
  'byte inserted': { mqtt: 'TCP delivers bytes' },
  'bit flipped': { mqtt: 'TCP delivers bytes' },
  'wrong checksum': { mqtt: 'TCP delivers bytes' },
  'garbage before header': { mqtt: 'messages are whole' },
  echo: { mqtt: 'nobody hears what he publishes' },
  'duplicate id': { kitlink: 'one board on a port' },
  'wrong id': { kitlink: 'one board on a port' },
  'voltage, heat, overload': { kitlink: 'hobby servos tell nobody' },
  'sequence replayed': { feetech: 'no sequence', dynamixel: 'no sequence' },
  'old session': { feetech: 'no session', dynamixel: 'no session' },
  'stale and retained': {
    kitlink: 'no broker; old samples: see sequence replayed',
    feetech: 'no broker',
    dynamixel: 'no broker',
  },
  'broker gone and back': { kitlink: 'no broker', feetech: 'no broker', dynamixel: 'no broker' },
};
