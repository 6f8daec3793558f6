/** A serial port with servos behind it, opened for a command: where its USB adapter would delay them, it is told not to, or it is said. */
import type { ByteStream } from '@sim2servo/firmware-bridge/byte-stream';
import { latencyFix, latencyWarning } from '@sim2servo/firmware-bridge/port-latency';
import { openSerial } from '@sim2servo/firmware-bridge/serial-stream';
import type { Io } from './io.js';

/** @returns what opens it at a baud rate; a warning is said once */
export function servoPort(io: Io, path: string): (baudRate: number) => Promise<ByteStream> {
  let warned = false;
  return baudRate =>
    openSerial(path, baudRate, {
      onLatency: adapter => {
        const warning = latencyWarning(adapter);
        if (warning === undefined || warned) return;
        warned = true;
        io.err(
          `warning: ${warning}: no rate above ${Math.floor(1000 / adapter.timerMs!)} Hz is to be had\n  → ${latencyFix}`,
        );
      },
    });
}
