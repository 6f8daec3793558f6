/** The first words with a board: is there one on the port, and does it speak our version of the link. */
import type { Clock } from '@sim2servo/models/clock';
import { KitError } from '@sim2servo/models/error';
import type { Board } from './board.js';
import { protocolVersion } from './frame.js';
import type { InfoMessage } from './messages.js';

/** An Uno's bootloader listens for up to two seconds after the reset that opening causes. */
const helloTimeoutUs = 4_000_000;
export const helloEveryUs = 100_000;

/** Nothing moves, and a board that was greeted sends its state from then on. @throws KitError E_NO_ANSWER, E_FOREIGN_DEVICE, E_LINK_VERSION, E_PORT_CLOSED */
export async function greet(board: Board, clock: Clock): Promise<InfoMessage> {
  const until = clock.nowUs() + helloTimeoutUs;
  while (board.info === undefined && clock.nowUs() < until) {
    board.hello();
    await board.wait(helloEveryUs, () => board.info !== undefined);
  }
  const { info } = board;
  if (info === undefined && board.bytes === 0)
    throw new KitError(
      'E_NO_ANSWER',
      `nothing answers on the port within ${helloTimeoutUs / 1e6} s`,
      'check cable and power, and that the board has the firmware: kit device flash',
      'noDevice',
    );
  if (info === undefined)
    throw new KitError(
      'E_FOREIGN_DEVICE',
      `what answers on the port (${board.bytes} bytes, ${board.frames} frames among them) is no kitlink board`,
      'check the port; write the firmware with kit device flash',
      'noDevice',
    );
  if (info.version !== protocolVersion)
    throw new KitError(
      'E_LINK_VERSION',
      `the board speaks version ${info.version} of the link, this kit version ${protocolVersion}`,
      'write the image of this kit to it: kit device flash',
      'noDevice',
    );
  return info;
}

/** Two periods: a board that streams has spoken by then. */
export const sampleTimeoutUs = 100_000;
