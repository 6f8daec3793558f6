/** What every servo says of itself now, whatever the bus: a look at them moves nothing and writes nothing. */

import type { ByteStream } from '@sim2servo/firmware-bridge/byte-stream';
import { Board } from '@sim2servo/firmware-bridge/kitlink/board';
import { greet, sampleTimeoutUs } from '@sim2servo/firmware-bridge/kitlink/greet';
import { reasonWords } from '@sim2servo/firmware-bridge/kitlink/messages';
import { PulseMap, ticksPerUs } from '@sim2servo/firmware-bridge/kitlink/pulse-map';
import type { ServiceBus, ServoSample } from '@sim2servo/firmware-bridge/service-bus';
import type { Clock } from '@sim2servo/models/clock';
import { KitError } from '@sim2servo/models/error';
import { type LoadedRobot, servosInOrder } from '@sim2servo/models/robot-folder';
import { angleOfTurn } from '@sim2servo/models/servo-scale';
import { type CountedServo, siteOn } from '@sim2servo/models/site';

export interface ServoReading extends Partial<ServoSample> {
  readonly id: number;
  readonly joint?: string;
  readonly model?: string;
  /** Absent where no site.json says where 0 rad is, or nothing answers. */
  readonly positionRad?: number;
  readonly speedRadPerS?: number;
  /** Of a hobby servo: the pulse that it is given; 0 where it is given none. */
  readonly pulseUs?: number;
  readonly answers: boolean;
}

export interface ServoWatch {
  /** What is known of all of them together, in words; empty where nothing is. */
  readonly state: () => string;
  look(): Promise<readonly ServoReading[]>;
  close(): Promise<void>;
}

/** A servo, and what is known of it beforehand. */
export type WatchedServo = { readonly id: number; readonly model: string } | CountedServo;

export function watchBus(bus: ServiceBus, servos: readonly WatchedServo[]): ServoWatch {
  return {
    state: () => '',
    async look() {
      const readings: ServoReading[] = [];
      for (const servo of servos) readings.push(readingOf(servo, await bus.sample(servo.id)));
      return readings;
    },
    close: () => bus.port.close(),
  };
}

function readingOf(servo: WatchedServo, sample: ServoSample | undefined): ServoReading {
  const { id, model } = servo;
  if (!('joint' in servo)) return { id, model, answers: sample !== undefined, ...sample };
  const { joint } = servo;
  if (sample === undefined) return { id, joint, model, answers: false };
  const positionRad = angleOfTurn(servo, sample.positionCounts);
  const speedRadPerS = angleOfTurn({ ...servo, zeroCount: 0 }, sample.speedCountsPerS);
  return { id, joint, model, answers: true, positionRad, speedRadPerS, ...sample };
}

/** A board that was reset says nothing until it is greeted again. */
const greetings = 20;

async function nextSample(board: Board): Promise<void> {
  const seen = board.sample?.number ?? 0;
  for (let i = 0; i < greetings; i++) {
    if (await board.wait(sampleTimeoutUs, () => (board.sample?.number ?? 0) > seen)) return;
    board.hello();
  }
  throw new KitError('E_NO_SAMPLE', 'the board sends nothing any more', 'check cable and supply', 'timeout');
}

/**
 * Our board tells what it knows: each channel's potentiometer and pulse, and its own state.
 *
 * @throws KitError those of {@link greet}, E_CHANNEL, E_NO_SAMPLE
 */
export async function watchBoard(
  open: (baudRate: number) => Promise<ByteStream>,
  clock: Clock,
  { spec, site }: LoadedRobot,
): Promise<ServoWatch> {
  const { bus, servos } = siteOn(site, 'kitlink');
  const board = new Board(await open(bus.baudRate), clock, bus.baudRate);
  try {
    const map = new PulseMap(spec, site, (await greet(board, clock)).channels);
    const angles = new Float64Array(spec.joints.length);
    return {
      state() {
        const { device, reason } = board.sample!.state;
        return `the board is ${device}${reason === 'none' ? '' : `: ${reasonWords[reason]}`}`;
      },
      async look() {
        await nextSample(board);
        const { channels } = board.sample!.state;
        map.toAngles(channels, angles);
        return servosInOrder(spec, { servos }).map(({ id, joint }, j) => {
          const { counts, pulseTicks } = channels[id]!;
          const pulseUs = pulseTicks / ticksPerUs;
          return {
            id,
            joint,
            answers: true,
            positionRad: angles[j]!,
            positionCounts: counts,
            torque: pulseTicks > 0,
            pulseUs,
          };
        });
      },
      close: () => board.close(),
    };
  } catch (error) {
    await board.close();
    throw error;
  }
}
