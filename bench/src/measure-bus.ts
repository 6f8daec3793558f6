/**
 * One control cycle on a servo bus, back to back: a sync read of position, speed, load, voltage, temperature and what else a tick looks at,
 * and a sync write of goals.
 *
 * It can't be shorter than its bytes are on the wire, and what a pseudo-terminal takes there and back: measured before and after on a port
 * that echoes at once. But of what now and then keeps a program from its core a cycle of 2 ms meets more than an echo of 60 µs does. So as much
 * time on the wire is measured through a port that echoes at the bus's baud rate as well.
 */
import type { ByteStream } from '@sim2servo/firmware-bridge/byte-stream';
import { createLink } from '@sim2servo/firmware-bridge/create-link';
import { FeetechLink } from '@sim2servo/firmware-bridge/feetech/feetech-link';
import { openSerial } from '@sim2servo/firmware-bridge/serial-stream';
import { createServoState, type ServoLink } from '@sim2servo/firmware-bridge/servo-link';
import { cycleUs as fullCycleUs, wireUs } from '@sim2servo/models/bus-cycle';
import { KitError } from '@sim2servo/models/error';
import { type LoadedRobot, loadRobot, shippedRobotOn } from '@sim2servo/models/robot-folder';
import { keepGcPausesShort } from '@sim2servo/runtime/gc-pauses';
import { Histogram } from '@sim2servo/runtime/histogram';
import { RealtimeClock } from '@sim2servo/runtime/realtime-clock';
import type { BusWork } from './bus-rigs.js';
import type { Figures } from './turns.js';

export interface MeasureBusWork extends Omit<BusWork, 'reads'> {
  /** Of the servos, of the echo at once, and of the one at the baud rate. */
  readonly port: string;
  readonly echo: string;
  readonly paced: string;
}

/** A reply that takes longer is lost. */
const timeoutUs = 20_000;
/** Not counted: the compiler is still at it, here and in the rigs. */
const warmUp = 1000;
/** As many as a request has. */
const echoBytes = 14;

const attempts = 20;

/** Of what is not measured: a servo that is late is not asked for ever, and a busy machine may stop the rig for longer. */
async function patiently<T>(step: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++)
    try {
      return await step();
    } catch (error) {
      if (attempt === attempts) throw error;
    }
}

/** The shipped robot of that bus; the rig's Dynamixels are all of one model. */
function robotOf(kind: BusWork['kind']): LoadedRobot {
  const robot = loadRobot(shippedRobotOn[kind]);
  const servos = robot.site.servos.map(servo =>
    servo.kind === 'dynamixel' ? { ...servo, model: 'xl330-m288' as const } : servo,
  );
  return { ...robot, site: { ...robot.site, servos } };
}

export async function measureBus({ kind, port, echo, paced, baud, cycles }: MeasureBusWork): Promise<Figures> {
  keepGcPausesShort();
  const clock = new RealtimeClock();
  const robot = robotOf(kind);
  const onWire = { bytes: 0 };
  const link = createLink({ robot, clock, open: async rate => counted(await openSerial(port, rate), onWire) });
  if (link instanceof FeetechLink) await patiently(() => link.configure(() => true));
  const echoUs = new Histogram();
  const echoes = { baud, bytes: echoBytes, times: cycles >> 1 };
  await measureEcho(clock, echo, echoes, echoUs);
  const { cycleUs, onWireUs, stale, latches } = await measureCycles(clock, link, robot, cycles, onWire);
  await measureEcho(clock, echo, echoes, echoUs);
  const pacedUs = new Histogram();
  const pacedBytes = Math.round(onWireUs.percentile(0.5) / 2 / wireUs(1, baud));
  await measureEcho(clock, paced, { baud, bytes: pacedBytes, times: cycles }, pacedUs);
  const of = (share: number) => ({
    cycle: cycleUs.percentile(share),
    wire: onWireUs.percentile(share),
    echo: echoUs.percentile(share),
    paced: pacedUs.percentile(share),
  });
  const p50 = of(0.5);
  const p99 = of(0.99);
  return {
    p50Us: p50.cycle,
    p99Us: p99.cycle,
    wireP50Us: p50.wire,
    wireP99Us: p99.wire,
    echoP50Us: p50.echo,
    echoP99Us: p99.echo,
    pacedP50Us: p50.paced,
    pacedP99Us: p99.paced,
    p50OverFloor: p50.cycle / (p50.wire + p50.echo),
    p99OverFloor: p99.cycle / (p99.wire + p99.echo),
    p50OverPaced: p50.cycle / p50.paced,
    p99OverPaced: p99.cycle / p99.paced,
    staleReads: stale,
    latches,
  };
}

/** The same stream, with a count of what goes through it, both ways. */
function counted(stream: ByteStream, onWire: { bytes: number }): ByteStream {
  return {
    write(bytes) {
      onWire.bytes += bytes.length;
      stream.write(bytes);
    },
    onData: receive =>
      stream.onData(chunk => {
        onWire.bytes += chunk.length;
        receive(chunk);
      }),
    onClose: closed => stream.onClose(closed),
    close: () => stream.close(),
  };
}

async function measureCycles(
  clock: RealtimeClock,
  link: ServoLink,
  { spec }: LoadedRobot,
  cycles: number,
  onWire: { bytes: number },
) {
  const motion = await patiently(() => link.open());
  try {
    if (motion.cycle === undefined)
      throw new KitError('E_BENCH_BUS', 'this link does not say what a cycle puts on the wire', 'a bug', 'bug');
    const state = createServoState(spec.joints.length);
    await patiently(async () => {
      if (!(await motion.read(state, timeoutUs)))
        throw new KitError('E_BENCH_BUS', 'the servos do not answer', 'see kit doctor', 'noDevice');
    });
    await patiently(() => motion.arm());
    const targets = Float64Array.from(state.position);
    const { baudRate, returnDelayUs } = motion.cycle;
    const usualUs = fullCycleUs(motion.cycle);
    const cycleUs = new Histogram();
    const onWireUs = new Histogram();
    let stale = 0;
    let latches = 0;
    let start = clock.nowUs();
    for (let i = -warmUp; i < cycles; i++) {
      // Not every tick looks at the same registers, so what it puts on the wire is counted; but what is asked twice is no floor.
      onWire.bytes = 0;
      const fresh = await motion.read(state, timeoutUs);
      motion.write(targets);
      const now = clock.nowUs();
      if (i >= 0) {
        cycleUs.record(now - start);
        onWireUs.record(Math.min(usualUs, wireUs(onWire.bytes, baudRate) + returnDelayUs));
        if (!fresh) stale++;
      }
      start = now;
      if (state.device === 'armed') continue;
      // Nothing came for so long that the servos hold, and goals are not sent any more: no full cycle.
      latches++;
      await patiently(() => motion.arm());
      start = clock.nowUs();
    }
    await patiently(() => motion.halt('relax'));
    return { cycleUs, onWireUs, stale, latches };
  } finally {
    await link.close();
  }
}

/** Bytes there and back, as a link awaits them. */
async function measureEcho(
  clock: RealtimeClock,
  path: string,
  { baud, bytes, times }: { readonly baud: number; readonly bytes: number; readonly times: number },
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
      due = bytes;
      const whole = new Promise<void>(resolve => {
        wake = resolve;
      });
      const start = clock.nowUs();
      stream.write(new Uint8Array(bytes).fill(i & 0x7f));
      await clock.waitUntil(start + 1e6, whole);
      if (due > 0) throw new KitError('E_BENCH_BUS', `the port ${path} does not echo`, 'see kit doctor', 'noDevice');
      if (i >= 0) out.record(clock.nowUs() - start);
    }
  } finally {
    await stream.close();
  }
}
