/** `kit device`: the ports and what is on them, and the firmware onto a board. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { firmwareImage } from '@sim2servo/firmware-bridge/firmware-image';
import { bootloaderBaudRate, flashBoard, flashBytes } from '@sim2servo/firmware-bridge/flash';
import { parseIntelHex } from '@sim2servo/firmware-bridge/intel-hex';
import { openSerial } from '@sim2servo/firmware-bridge/serial-stream';
import { KitError, messageOf } from '@sim2servo/models/error';
import { RealtimeClock } from '@sim2servo/runtime/realtime-clock';
import { Option } from 'commander';
import type { AddCommand, CommandContext } from '../command-context.js';
import { confirm } from '../io.js';
import { wholeNumber } from '../number-option.js';
import { ProgressLine } from '../progress-line.js';
import { addAddress } from './device-address.js';
import { addConfigure } from './device-configure.js';
import { addMonitor } from './device-monitor.js';
import { addPorts } from './device-ports.js';

interface FlashFlags {
  readonly port: string;
  readonly image: string;
  readonly baud: number;
  readonly yes?: boolean;
}

export const addDevice: AddCommand = (program, context) => {
  const device = program.command('device').description('serial ports, the servos on them, and the firmware of a board');
  addPorts(device, context);
  device
    .command('flash')
    .description('write the firmware to an Arduino Uno or Nano through its bootloader, and verify it')
    .requiredOption('--port <path>', 'serial port of the board')
    .addOption(new Option('--image <file>', 'Intel HEX file').default(firmwareImage, 'the one that ships with the kit'))
    .option('--baud <rate>', 'of the bootloader; 57600 for a Nano with the old one', wholeNumber, bootloaderBaudRate)
    .option('--yes', "don't ask")
    .action((flags: FlashFlags) => flash(flags, context));
  addMonitor(device, context);
  addAddress(device, context);
  addConfigure(device, context);
};

async function flash(flags: FlashFlags, context: CommandContext): Promise<void> {
  const memory = parseIntelHex(readImage(flags.image), flashBytes);
  await confirm(
    context.io,
    `About to replace the program of the board on ${flags.port} by ${basename(flags.image)}.\nThe board resets: its servos go limp, so hold or put down the arm.`,
    flags.yes === true,
  );
  const line = new ProgressLine(context.io);
  let bytes: number;
  try {
    bytes = await flashBoard({
      open: () => openSerial(flags.port, flags.baud, { reset: true }),
      memory,
      clock: new RealtimeClock(),
      onProgress: (stage, done, total) => line.show(() => `${stage} ${done} of ${total} bytes`),
    });
  } finally {
    line.done();
  }
  context.result(
    { port: flags.port, image: flags.image, bytes },
    () => `${basename(flags.image)}: ${bytes} bytes written and verified on ${flags.port}; it runs`,
  );
}

function readImage(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new KitError(
      'E_IMAGE_READ',
      `can't read ${path}: ${messageOf(error)}`,
      'name an Intel HEX file with --image',
      'usage',
      {
        cause: error,
      },
    );
  }
}
