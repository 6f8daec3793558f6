/**
 * One control cycle on a servo bus, back to back: a sync read of position, speed, load, voltage, temperature and what else a tick looks at,
 * and a sync write of goals. It can't be shorter than its bytes are on the wire; beside that is what the pseudo-terminal takes, measured
 * before and after on a port that only echoes.
 */
import { createLink } from '@sim2servo/firmware-bridge/create-link';
import { FeetechLink } from '@sim2servo/firmware-bridge/feetech/feetech-link';
import { openSerial } from '@sim2servo/firmware-bridge/serial-stream';
import { createServoState, type ServoLink } from '@sim2servo/firmware-bridge/servo-link';
import { cycleUs } from '@sim2servo/models/bus-cycle';
import { KitError } from '@sim2servo/models/error';
import { type LoadedRobot, loadRobot } from '@sim2servo/models/robot-folder';
import { Histogram } from '@sim2servo/runtime/histogram';
import { RealtimeClock } from '@sim2servo/runtime/realtime-clock';
import type { BusWork } from './bus-rigs.js';
import type { Figures } from './turns.js';

export interface MeasureBusWork extends BusWork {
  /** Of the servos, and of the echo. */
  readonly port: string;
  readonly echo: string;
}

/** A reply that takes longer is lost. */
const timeoutUs = 20_000;
const warmUp = 100;
/** As many as a request has. */
const echoBytes = 14;

/** The shipped robot of that bus; the rig's Dynamixels are all of one model. */
function robotOf(kind: BusWork['kind']): LoadedRobot {
  if (kind === 'feetech') return loadRobot('so101');
  const robot = loadRobot('koch');
  const servos = robot.site.servos.map(servo =>
    servo.kind === 'dynamixel' ? { ...servo, model: 'xl330-m288' as const } : servo,
  );
  return { ...robot, site: { ...robot.site, servos } };
}

export async function measureBus({ kind, port, echo, baud, cycles }: MeasureBusWork): Promise<Figures> {
  const clock = new RealtimeClock();
  const robot = robotOf(kind);
  const link = createLink({ robot, clock, open: baudRate => openSerial(port, baudRate) });
  if (link instanceof FeetechLink) await link.configure(() => true);
  const echoUs = new Histogram();
  await measureEcho(clock, echo, baud, cycles >> 1, echoUs);
  const { cycle, wireUs, stale } = await measureCycles(clock, link, robot, cycles);
  await measureEcho(clock, echo, baud, cycles >> 1, echoUs);
  const p50Us = cycle.percentile(0.5);
  const p99Us = cycle.percentile(0.99);
  const echoP50Us = echoUs.percentile(0.5);
  const echoP99Us = echoUs.percentile(0.99);
  return {
    p50Us,
    p99Us,
    wireUs,
    echoP50Us,
    echoP99Us,
    p50OverFloor: p50Us / (wireUs + echoP50Us),
    p99OverFloor: p99Us / (wireUs + echoP99Us),
    staleReads: stale,
  };
}

async function measureCycles(clock: RealtimeClock, link: ServoLink, { spec }: LoadedRobot, cycles: number) {
  const motion = await link.open();
  try {
    if (motion.cycle === undefined)
      throw new KitError('E_BENCH_BUS', 'this link does not say what a cycle puts on the wire', 'a bug', 'bug');
    const state = createServoState(spec.joints.length);
    if (!(await motion.read(state, timeoutUs)))
      throw new KitError('E_BENCH_BUS', 'the servos do not answer', 'see kit doctor', 'noDevice');
    await motion.arm();
    const targets = Float64Array.from(state.position);
    const cycle = new Histogram();
    let stale = 0;
    let start = clock.nowUs();
    for (let i = -warmUp; i < cycles; i++) {
      const fresh = await motion.read(state, timeoutUs);
      motion.write(targets);
      const now = clock.nowUs();
      if (i >= 0) {
        cycle.record(now - start);
        if (!fresh) stale++;
      }
      start = now;
    }
    await motion.halt('relax');
    return { cycle, wireUs: cycleUs(motion.cycle), stale };
  } finally {
    await link.close();
  }
}

/** Bytes there and back, as a link awaits them. */
async function measureEcho(
  clock: RealtimeClock,
  path: string,
  baud: number,
  times: number,
  out: Histogram,
): Promise<void> {
  const stream = await openSerial(path, baud);
  let due = 0;
  let wake = () => {};
  stream.onData(chunk => {
    due -= chunk.length;
    if (due <= 0) wake();
  });
  try {
    for (let i = -warmUp; i < times; i++) {
      due = echoBytes;
      const whole = new Promise<void>(resolve => {
        wake = resolve;
      });
      const start = clock.nowUs();
      stream.write(new Uint8Array(echoBytes).fill(i & 0x7f));
      await clock.waitUntil(start + 1e6, whole);
      if (due > 0) throw new KitError('E_BENCH_BUS', `the port ${path} does not echo`, 'see kit doctor', 'noDevice');
      if (i >= 0) out.record(clock.nowUs() - start);
    }
  } finally {
    await stream.close();
  }
}
