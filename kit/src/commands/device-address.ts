/** `kit device set-id` and `set-baud`: another id or baud rate for one servo, after asking. */
import { createServiceBus } from '@sim2servo/firmware-bridge/create-service-bus';
import type { ServiceBus } from '@sim2servo/firmware-bridge/service-bus';
import { type Permit, setServoBaudRate, setServoId } from '@sim2servo/firmware-bridge/set-servo-address';
import { RealtimeClock } from '@sim2servo/runtime/realtime-clock';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.js';
import { confirm } from '../io.js';
import { addBusOptions, type BusFlags, namedBus, withServiceBus } from '../named-bus.js';
import { wholeNumber } from '../number-option.js';
import { servoPort } from '../servo-port.js';

interface IdFlags extends BusFlags {
  readonly from: number;
  readonly to: number;
  readonly yes?: boolean;
}

interface BaudFlags extends BusFlags {
  readonly id: number;
  readonly to: number;
  readonly yes?: boolean;
}

export function addAddress(device: Command, context: CommandContext): void {
  addBusOptions(device.command('set-id').description('give a servo another id'))
    .requiredOption('--from <id>', 'that it has now', wholeNumber)
    .requiredOption('--to <id>', 'that it is to have', wholeNumber)
    .option('-y, --yes', "don't ask")
    .action((flags: IdFlags) => setId(flags, context));
  addBusOptions(device.command('set-baud').description('give a servo another baud rate'))
    .requiredOption('--id <id>', 'of the servo', wholeNumber)
    .requiredOption('--to <rate>', 'that it is to have', wholeNumber)
    .option('-y, --yes', "don't ask")
    .action((flags: BaudFlags) => setBaud(flags, context));
}

async function setId(flags: IdFlags, context: CommandContext): Promise<void> {
  const { from, to, yes } = flags;
  const named = namedBus(flags);
  const permit: Permit = ({ model }) =>
    confirm(
      context.io,
      `About to give servo ${from} (${model}) on ${named.port} the id ${to}.\nServos fresh from the factory all have id 1, and each of that id takes it: connect only the one.`,
      yes === true,
    );
  await withServiceBus(context.io, named, new RealtimeClock(), bus => setServoId(bus, from, to, permit));
  context.result(
    { port: named.port, from, to },
    () => `servo ${from} is servo ${to} now: it answers there, and its memory is locked`,
  );
}

async function setBaud(flags: BaudFlags, context: CommandContext): Promise<void> {
  const { id, to, yes } = flags;
  const { kind, port, baudRate } = namedBus(flags);
  const open = servoPort(context.io, port);
  const clock = new RealtimeClock();
  let bus: ServiceBus | undefined;
  const openAt = async (rate: number) => {
    await bus?.port.close();
    bus = createServiceBus(kind, await open(rate), clock, rate);
    return bus;
  };
  const permit: Permit = ({ model }) =>
    confirm(
      context.io,
      `About to set servo ${id} (${model}) on ${port} from ${baudRate} to ${to} baud.\nAll servos of a bus need the same rate: set each, then baudRate in site.json.`,
      yes === true,
    );
  try {
    await setServoBaudRate(openAt, id, baudRate, to, permit);
  } finally {
    await bus?.port.close();
  }
  context.result(
    { port, id, from: baudRate, to },
    () => `servo ${id} answers at ${to} baud now, and its memory is locked`,
  );
}
