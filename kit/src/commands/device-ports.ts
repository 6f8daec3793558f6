/** `kit device list` and `find-port`: which serial ports there are, what keeps one from being opened, and which of them is which. */
import { findPort, type PlugRequest } from '@sim2servo/firmware-bridge/find-port';
import { type AdapterLatency, adapterOf, latencyFix, latencyWarning } from '@sim2servo/firmware-bridge/port-latency';
import { mayOpen, type PortOwner, permissionFix, portOwner } from '@sim2servo/firmware-bridge/port-owner';
import { listPorts, type SerialPortDescription } from '@sim2servo/firmware-bridge/serial-ports';
import { RealtimeClock } from '@sim2servo/runtime/realtime-clock';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.js';
import { positiveNumber } from '../number-option.js';

interface PortState extends SerialPortDescription {
  readonly mayOpen: boolean;
  readonly owner?: PortOwner;
  readonly adapter?: AdapterLatency;
}

export function addPorts(device: Command, context: CommandContext): void {
  device
    .command('list')
    .description('say which serial ports there are, and what keeps one from being opened')
    .action(async () => {
      const ports = (await listPorts()).map(stateOf);
      context.result(ports, () =>
        ports.length === 0
          ? 'no serial port: plug a board in, or try a virtual one with kit hil up --rig avr'
          : ports.map(portWords).join('\n'),
      );
    });
  device
    .command('find-port')
    .description('say which port an adapter is: you unplug it and plug it in again')
    .option('--timeout <s>', 'how long each of the two may take', positiveNumber, 60)
    .action(({ timeout }: { timeout: number }) => find(timeout, context));
}

function stateOf(port: SerialPortDescription): PortState {
  const owner = portOwner(port.path);
  const adapter = process.platform === 'linux' ? adapterOf(port.path) : undefined;
  return { ...port, mayOpen: mayOpen(port.path), ...(owner && { owner }), ...(adapter && { adapter }) };
}

function portWords(port: PortState): string {
  const { path, usbId, manufacturer, serialNumber, owner, adapter } = port;
  const warning = adapter && latencyWarning(adapter);
  const known = [path, usbId, manufacturer, serialNumber && `serial ${serialNumber}`, adapter?.driver];
  return [
    known.filter(Boolean).join('  '),
    ...(port.mayOpen ? [] : [`  you may not open it\n  → ${permissionFix}`]),
    ...(owner === undefined ? [] : [`  process ${owner.pid} (${owner.program}) has it open`]),
    ...(warning === undefined ? [] : [`  ${warning}, unless whoever opens it may change that\n  → ${latencyFix}`]),
  ].join('\n');
}

const requests: Readonly<Record<PlugRequest, string>> = {
  unplug: 'Unplug the USB cable of the adapter now.',
  plug: 'Plug it in.',
};

async function find(timeoutS: number, { io, signal, result }: CommandContext): Promise<void> {
  const paths = await findPort({
    list: async () => (await listPorts()).map(({ path }) => path),
    clock: new RealtimeClock(),
    timeoutUs: timeoutS * 1e6,
    signal,
    onRequest: request => io.err(requests[request]),
  });
  const found = (await listPorts()).filter(({ path }) => paths.includes(path)).map(stateOf);
  result(found, () => found.map(portWords).join('\n'));
}
