/**
 * What can go wrong between a host and an arm, each done to the real firmware image. The tests assert on the outcomes; `kit hil` puts them
 * in its report.
 */
import { encodeFrame, type Frame, protocolVersion } from '@sim2servo/firmware-bridge/kitlink/frame';
import { FrameReader } from '@sim2servo/firmware-bridge/kitlink/frame-reader';
import { encodeMotion, messageType } from '@sim2servo/firmware-bridge/kitlink/messages';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import { FaultBench, type PinOutcome, periodUs } from './fault-bench.js';

export interface SafetyOutcome extends PinOutcome {
  /** The device's own word for its state, and its reason. */
  readonly device: string;
  readonly reason: string;
  /** Link errors that were counted meanwhile. */
  readonly linkErrors: number;
  /** What it did, in words, for the report. */
  readonly detail: string;
}

export interface SafetyScenario {
  readonly name: string;
  /** What must come of it. */
  readonly arm: 'held' | 'limp';
  run(robot: LoadedRobot): Promise<SafetyOutcome>;
}

const warmUpTicks = 60;

/** Motion frames that the host has sent so far. */
function motionFrames(bench: FaultBench): Frame[] {
  const frames: Frame[] = [];
  const reader = new FrameReader(frame => {
    if (frame.type === messageType.motion) frames.push({ ...frame, payload: frame.payload.slice() });
  });
  for (const bytes of bench.written) reader.push(bytes);
  return frames;
}

async function onBench(robot: LoadedRobot, fault: (bench: FaultBench) => Promise<string>): Promise<SafetyOutcome> {
  const bench = await FaultBench.create(robot);
  try {
    await bench.drive(warmUpTicks);
    const faultUs = bench.clock.nowUs();
    const detail = await fault(bench);
    const pins = await bench.watch(faultUs);
    const { device, reason, linkErrors } = bench.deviceSays();
    return { ...pins, device, reason, linkErrors, detail };
  } finally {
    bench.dispose();
  }
}

export const safetyScenarios: readonly SafetyScenario[] = [
  {
    name: 'the host is killed',
    arm: 'held',
    run: robot => onBench(robot, async () => 'no further byte is sent'),
  },
  {
    name: 'the host freezes and comes back',
    arm: 'held',
    run: robot =>
      onBench(robot, async bench => {
        await bench.idle(400_000);
        for (let i = 0; i < 5; i++) await bench.tick();
        return 'nothing for 400 ms, then motion again as if nothing had been';
      }),
  },
  {
    name: 'the cable is pulled',
    arm: 'held',
    run: robot =>
      onBench(robot, async bench => {
        bench.clock.unplug();
        return 'the port closes';
      }),
  },
  {
    name: 'the board is reset',
    arm: 'limp',
    run: robot =>
      onBench(robot, async bench => {
        bench.device.reset();
        for (let i = 0; i < 60; i++) {
          await bench.idle(periodUs);
          bench.inject(bench.written.at(-1)!);
        }
        return 'the reset line is pulled; the host goes on sending';
      }),
  },
  {
    name: 'every byte is corrupted',
    arm: 'held',
    run: robot =>
      onBench(robot, async bench => {
        bench.wire = bytes => bytes.map(byte => byte ^ 0x20);
        for (let i = 0; i < 10; i++) await bench.tick();
        return 'one bit of every byte is flipped';
      }),
  },
  {
    name: 'the receiver is flooded',
    arm: 'held',
    run: robot =>
      onBench(robot, async bench => {
        // Each is answered, which takes longer than the next one takes to come: the receiver's ring runs over.
        const hello = encodeFrame({
          version: protocolVersion,
          type: messageType.hello,
          session: 0,
          sequence: 1,
          timeUs: 0,
          payload: new Uint8Array(0),
        });
        for (let i = 0; i < 150; i++) bench.inject(hello);
        for (let i = 0; i < 8; i++) await bench.tick();
        return `150 greetings without a pause; ${bench.counters?.overruns ?? 0} overruns, ${bench.counters?.badFormat ?? 0} broken frames counted`;
      }),
  },
  {
    name: 'old frames are replayed',
    arm: 'held',
    run: robot =>
      onBench(robot, async bench => {
        for (const frame of bench.written.slice(-40)) {
          bench.inject(frame);
          await bench.idle(periodUs / 2);
        }
        return 'the last forty frames once more, the newest of them a second old at the end';
      }),
  },
  {
    name: 'a frame of an older session',
    arm: 'held',
    run: robot =>
      onBench(robot, async bench => {
        const old = motionFrames(bench).at(-1)!;
        await bench.motion.halt('hold');
        await bench.motion.arm();
        for (let i = 0; i < 10; i++) {
          await bench.motion.read(bench.state, 2 * periodUs);
          bench.inject(encodeFrame({ ...old, sequence: old.sequence + 1000 + i }));
        }
        return 'armed anew, then motion of the session before';
      }),
  },
  {
    name: 'a motion without the nonce of this arming',
    arm: 'held',
    run: robot =>
      onBench(robot, async bench => {
        const last = motionFrames(bench).at(-1)!;
        const payload = last.payload.map((byte, i) => (i === 0 ? byte ^ 1 : byte));
        for (let i = 1; i <= 10; i++) {
          await bench.idle(periodUs);
          bench.inject(encodeFrame({ ...last, sequence: last.sequence + i, payload }));
        }
        return 'right session and sequence, wrong nonce';
      }),
  },
  {
    name: 'a command far outside the limits',
    arm: 'held',
    run: robot =>
      onBench(robot, async bench => {
        const last = motionFrames(bench).at(-1)!;
        const view = new DataView(last.payload.buffer, last.payload.byteOffset);
        const payload = encodeMotion({
          nonce: view.getUint32(0, true),
          sampleUs: view.getUint32(4, true),
          pulseTicks: [9000, 9000],
        });
        bench.inject(encodeFrame({ ...last, sequence: last.sequence + 1, payload }));
        return 'pulses of 4.5 ms are asked for';
      }),
  },
  {
    name: 'the host asks to hold',
    arm: 'held',
    run: robot =>
      onBench(robot, async bench => {
        await bench.motion.halt('hold');
        for (let i = 0; i < 5; i++) bench.inject(bench.written.at(-2)!);
        return 'HALT hold, then motion';
      }),
  },
  {
    name: 'the host asks to relax',
    arm: 'limp',
    run: robot =>
      onBench(robot, async bench => {
        await bench.motion.halt('relax');
        return 'HALT relax';
      }),
  },
];
