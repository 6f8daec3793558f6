/** What can go wrong between a host and an arm across a broker. */
import type { CommandOf } from '@sim2servo/models/bridge-messages';
import { Sts3215 } from '../rig/bus/sts3215.js';
import type { BrokerUnderTest } from './broker-under-test.js';
import { type Fault, type FaultRow, nothingToClear } from './fault.js';
import { stale, unplugged } from './wire-faults.js';

type BrokerFault = Fault<BrokerUnderTest>;
type Motion = CommandOf<'motion'>;
/** Messages are spoilt this often where not all are. */
const seldom = 7;
const usualUs = 1_000;
/** What a servo complains of when it is hot, of either kind. */
const tooHot = { celsius: 80, dynamixelBits: 0x04 } as const;

/** Every n-th sample reaches the host after so long; undefined: never. */
function samples(
  row: FaultRow,
  name: string,
  expected: Fault['expected'],
  every: number,
  delayUs: number | undefined,
  reason = stale,
): BrokerFault {
  return {
    row,
    name,
    expected,
    ...(expected === 'stops' && { reason }),
    begin({ arm }) {
      let count = 0;
      arm.broker.delayUs = topic => (topic === arm.topics.state && ++count % every === 0 ? delayUs : usualUs);
    },
    clear({ arm }) {
      arm.broker.delayUs = () => usualUs;
    },
  };
}

/** With each tick of the host somebody else sends a motion that leads far away. */
function foreign(row: FaultRow, name: string, change: (motion: Motion) => object, retained = false): BrokerFault {
  return {
    row,
    name,
    expected: 'rides out',
    begin(bench) {
      const { arm } = bench;
      const away = arm.robot.spec.joints.map(({ range }) => range[1]);
      bench.answer = () => {
        const last = arm.lastCommand();
        if (last.kind !== 'motion') return;
        arm.broker.publish(arm.topics.command, JSON.stringify(change({ ...last, targetsRad: away })), retained);
      };
    },
    clear(bench) {
      bench.answer = undefined;
    },
  };
}

const ahead = 100_000;

export const brokerFaults: readonly BrokerFault[] = [
  samples('late reply', 'a sample late by 15 ms now and again', 'rides out', seldom, 15_000),
  samples('late reply', 'every sample late by 150 ms', 'stops', 1, 150_000, /no fresh position|came in time/),
  samples('no reply', 'a sample lost now and again', 'rides out', seldom, undefined),
  samples('no reply', 'no sample any more', 'stops', 1, undefined),
  {
    ...foreign('partial frame', 'half a command beside each of the host', motion => motion),
    begin(bench) {
      const { arm } = bench;
      bench.answer = () => {
        const payload = JSON.stringify(arm.lastCommand());
        arm.broker.publish(arm.topics.command, payload.slice(0, payload.length / 2));
      };
    },
  },
  {
    row: 'duplicate id',
    name: 'a second bridge of the same name is heard',
    expected: 'stops',
    reason: /another bridge serves/,
    begin: ({ arm }) => arm.broker.publish(arm.topics.state, JSON.stringify({ ...arm.lastState(), boot: 0 })),
    clear: nothingToClear,
  },
  foreign('wrong id', 'commands for a bridge that was here before', motion => ({
    ...motion,
    boot: motion.boot === 1 ? 2 : 1,
    sequence: motion.sequence + ahead,
  })),
  {
    ...unplugged,
    name: 'the cable of the servos is pulled on the side of the bridge, and plugged in again',
    reason: /the bridge has gone: .*port has gone/,
  },
  {
    row: 'servo rebooted',
    name: 'a servo behind the bridge is reset for 200 ms',
    expected: 'stops',
    limp: 0,
    begin: ({ arm }) => arm.behind.servoBus.servos[0]!.restart(0.2),
    clear: nothingToClear,
  },
  {
    row: 'voltage, heat, overload',
    name: 'a servo behind the bridge is too hot',
    expected: 'stops',
    reason: /it is too hot/,
    limp: 1,
    begin({ arm }) {
      const servo = arm.behind.servoBus.servos[1]!;
      if (servo instanceof Sts3215) servo.strain.temperature = tooHot.celsius;
      else servo.fault(tooHot.dynamixelBits);
    },
    clear: nothingToClear,
  },
  foreign('sequence replayed', 'each motion comes twice, the second one of somebody else', motion => motion),
  foreign('old session', 'motion of another session beside that of this one', motion => ({
    ...motion,
    session: motion.session === 1 ? 2 : 1,
    sequence: motion.sequence + ahead,
  })),
  foreign('stale and retained', 'motion that answers a sample of 200 ms ago', motion => ({
    ...motion,
    sampleUs: motion.sampleUs - 200_000,
    sequence: motion.sequence + ahead,
  })),
  foreign('stale and retained', 'retained motion', motion => ({ ...motion, sequence: motion.sequence + ahead }), true),
  {
    row: 'broker gone and back',
    name: 'the broker dies, and comes back',
    expected: 'stops',
    reason: /no connection with the broker/,
    begin: ({ arm }) => arm.broker.cut(/./),
    clear: ({ arm }) => arm.broker.mend(),
  },
];
