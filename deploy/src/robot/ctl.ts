/** `sim2servo-robot ctl start|stop|state`: tells the service, and prints its answer, or why there is none, as one line of JSON. What `kit start` calls. */
import { exitCodes, KitError } from '@sim2servo/models/error';
import { packError } from '@sim2servo/models/packed-error';
import { type ControlAnswer, type ControlRequest, controlRequestSchema } from './control-protocol.js';
import { askService } from './control-socket.js';
import type { RobotCommand } from './robot-command.js';
import { placeOptions, robotPlaces } from './robot-places.js';

export const ctl: RobotCommand = {
  words: 'tell the service to drive the arm, to hold it, or to say how it is',
  operand: 'start|stop|state',
  options: {
    root: placeOptions.root,
    socket: 'of the service',
    seconds: 'with start: end after this time',
  },
  async act({ root, socket = robotPlaces(root).socket, seconds }, operands) {
    let said: ControlAnswer;
    try {
      said = { answer: await askService(socket, controlRequest(operands, seconds)) };
    } catch (error) {
      const { code, message, hint, exit } = packError(error, 'E_BUG');
      said = { error: { code, message, hint, exit } };
      process.exitCode = exitCodes[exit];
    }
    process.stdout.write(`${JSON.stringify(said)}\n`);
  },
};

/** @throws KitError E_USAGE */
export function controlRequest(operands: readonly string[], seconds: string | undefined): ControlRequest {
  const parsed = controlRequestSchema.safeParse({
    do: operands[0],
    ...(seconds !== undefined && { seconds: Number(seconds) }),
  });
  if (operands.length === 1 && parsed.success) return parsed.data;
  const said = [...operands, ...(seconds === undefined ? [] : [`--seconds ${seconds}`])].join(' ');
  throw new KitError(
    'E_USAGE',
    `'${said}' is nothing to tell a service`,
    'say start [--seconds N], stop or state',
    'usage',
  );
}
