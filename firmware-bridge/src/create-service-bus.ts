/** The servos behind an open port, for servicing. */
import type { Clock } from '@sim2servo/models/clock';
import type { ByteStream } from './byte-stream.js';
import { DynamixelService } from './dynamixel/dynamixel-service.js';
import { FeetechService } from './feetech/feetech-service.js';
import type { ServiceBus, ServoBusKind } from './service-bus.js';

export function createServiceBus(kind: ServoBusKind, stream: ByteStream, clock: Clock, baudRate: number): ServiceBus {
  return kind === 'feetech'
    ? new FeetechService(stream, clock, baudRate)
    : new DynamixelService(stream, clock, baudRate);
}
