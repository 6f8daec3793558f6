/** A serial port with servos behind it, opened for a command: where its USB adapter would delay them, it is told not to, or it is said. */
import type { ByteStream } from '@sim2servo/firmware-bridge/byte-stream';
import { type AdapterLatency, latencyFix, latencyWarning } from '@sim2servo/firmware-bridge/port-latency';
import { openSerial } from '@sim2servo/firmware-bridge/serial-stream';
import type { Io } from './io.js';

/** @returns what opens it at a baud rate; advice is given once */
export function servoPort(io: Io, path: string): (baudRate: number) => Promise<ByteStream> {
  const onLatency = latencyAdviser(io);
  return baudRate => openSerial(path, baudRate, { onLatency });
}

/** @returns what says once what a slow adapter costs, however often it is opened */
export function latencyAdviser({ err }: Pick<Io, 'err'>): (adapter: AdapterLatency) => void {
  let advised = false;
  return adapter => {
    const advice = latencyAdvice(adapter);
    if (advice === undefined || advised) return;
    advised = true;
    err(advice);
  };
}

/** What a slow adapter costs and what to do; undefined for one that is not. */
export function latencyAdvice(adapter: AdapterLatency): string | undefined {
  const warning = latencyWarning(adapter);
  // Each tick awaits an answer.
  const mostHz = Math.floor(1000 / (adapter.timerMs ?? 0));
  return warning && `warning: ${warning}: no rate above ${mostHz} Hz is to be had\n  → ${latencyFix}`;
}
