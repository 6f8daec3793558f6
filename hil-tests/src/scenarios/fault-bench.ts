/**
 * A device on the bench, in virtual time: the real firmware image with an arm, driven by the real link, and a hand on the wire between
 * them. What came of a fault is read from the pins, not from what the firmware says of itself.
 */
import type { ByteStream } from '@sim2servo/firmware-bridge/byte-stream';
import { firmwareImage } from '@sim2servo/firmware-bridge/firmware-image';
import { FrameReader } from '@sim2servo/firmware-bridge/kitlink/frame-reader';
import { KitLink } from '@sim2servo/firmware-bridge/kitlink/kitlink';
import {
  decodeState,
  type LinkCounters,
  messageType,
  reasonWords,
  type StateMessage,
} from '@sim2servo/firmware-bridge/kitlink/messages';
import { createServoState, type ServoMotion, type ServoState } from '@sim2servo/firmware-bridge/servo-link';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import { ArmOnBoard, type Pulse } from '../rig/arm-on-board.js';
import { Lockstep } from '../rig/lockstep.js';

export const periodUs = 20_000;
/** How long the pins are watched after a fault, and how long at the end they must not have changed. */
const watchUs = 1_000_000;
const stillUs = 500_000;
/** A board that was greeted speaks every period. */
const silenceUs = 200_000;

export interface PinOutcome {
  /** held: pulses that no longer change. limp: none. moving: they still change. */
  readonly arm: 'held' | 'limp' | 'moving';
  /** From the fault to the last pulse that differed from the one before, ms; 0 where none did. */
  readonly settledMs: number;
}

export class FaultBench {
  readonly device: ArmOnBoard;
  readonly clock: Lockstep;
  readonly link: KitLink;
  readonly state: ServoState;
  /** Every write of the host, in order. */
  readonly written: Uint8Array[] = [];
  /** What happens to bytes on their way to the board; undefined swallows them. */
  wire: (bytes: Uint8Array) => Uint8Array | undefined = bytes => bytes;
  motion!: ServoMotion;
  #stream!: ByteStream;
  #targets!: Float64Array;
  #ticks = 0;
  #said: StateMessage | undefined;
  #saidUs = Number.NEGATIVE_INFINITY;
  readonly #reader = new FrameReader(frame => {
    if (frame.type !== messageType.state) return;
    this.#said = decodeState(frame.payload) ?? this.#said;
    this.#saidUs = this.clock.nowUs();
  });

  private constructor(device: ArmOnBoard, robot: LoadedRobot) {
    this.device = device;
    this.clock = new Lockstep(device);
    this.state = createServoState(robot.spec.joints.length);
    this.link = new KitLink({
      open: async () => this.openPort(),
      clock: this.clock,
      spec: robot.spec,
      site: robot.site,
    });
  }

  static async create(robot: LoadedRobot): Promise<FaultBench> {
    return new FaultBench(await ArmOnBoard.create({ robot, imagePath: firmwareImage }), robot);
  }

  /** Opens the port, which resets the board, with our hand on the wire. */
  openPort(): ByteStream {
    const stream = this.clock.open();
    this.#stream = stream;
    return {
      write: bytes => {
        this.written.push(bytes.slice());
        const passed = this.wire(bytes);
        if (passed !== undefined) stream.write(passed);
      },
      onData: receive =>
        stream.onData(chunk => {
          this.#reader.push(chunk);
          receive(chunk);
        }),
      onClose: closed => stream.onClose(closed),
      close: () => stream.close(),
    };
  }

  /** Puts bytes on the wire that the link knows nothing of. */
  inject(bytes: Uint8Array): void {
    this.#stream.write(bytes);
  }

  /** Opens, arms, and swings both joints for `ticks` periods. */
  async drive(ticks: number): Promise<void> {
    if (this.motion === undefined) {
      this.motion = await this.link.open();
      await this.motion.read(this.state, periodUs);
      await this.motion.arm();
      this.#targets = Float64Array.from(this.state.position);
    }
    for (let i = 0; i < ticks; i++) await this.tick();
  }

  /** One control period: read, and move on. */
  async tick(): Promise<void> {
    await this.motion.read(this.state, 2 * periodUs);
    this.#ticks++;
    for (let j = 0; j < this.#targets.length; j++) this.#targets[j]! += 0.03 * Math.sin(this.#ticks / 8);
    this.motion.write(this.#targets);
  }

  /** Lets time run while the host does nothing. */
  async idle(us: number): Promise<void> {
    await this.clock.waitUntil(this.clock.nowUs() + us);
  }

  /** What the board's last frame said, read past the link. */
  deviceSays(): { readonly device: string; readonly reason: string; readonly linkErrors: number } {
    const said = this.#said;
    if (said === undefined || this.clock.nowUs() - this.#saidUs > silenceUs)
      return { device: 'silent', reason: 'nothing is heard of the board', linkErrors: 0 };
    const { counters } = said;
    const linkErrors = counters.badChecksum + counters.badFormat + counters.overruns + counters.dropped;
    return { device: said.device, reason: reasonWords[said.reason], linkErrors };
  }

  get counters(): LinkCounters | undefined {
    return this.#said?.counters;
  }

  /** Watches the pins for a second after a fault at `faultUs`. */
  async watch(faultUs: number): Promise<PinOutcome> {
    await this.idle(Math.max(0, faultUs + watchUs - this.clock.nowUs()));
    return pinOutcome(this.device.pulses, faultUs, this.clock.nowUs());
  }

  dispose(): void {
    this.device.arm.dispose();
  }
}

/** What the pulses between `faultUs` and `nowUs` say. */
export function pinOutcome(pulses: readonly Pulse[], faultUs: number, nowUs: number): PinOutcome {
  const last = new Map<number, number>();
  let changedUs = faultUs;
  let lastRiseUs = Number.NEGATIVE_INFINITY;
  for (const { channel, riseUs, widthUs } of pulses) {
    if (riseUs >= faultUs && last.has(channel) && last.get(channel) !== widthUs) changedUs = riseUs;
    last.set(channel, widthUs);
    lastRiseUs = Math.max(lastRiseUs, riseUs);
  }
  const settledMs = (changedUs - faultUs) / 1000;
  if (lastRiseUs < nowUs - stillUs) return { arm: 'limp', settledMs };
  return { arm: changedUs > nowUs - stillUs ? 'moving' : 'held', settledMs };
}
