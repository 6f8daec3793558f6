/** Tells the service of a robot to start, to stop, or to say how it is: over ssh by the robot's own program, or at the socket of a folder. */
import { existsSync } from 'node:fs';
import { KitError } from '@sim2servo/models/error';
import { parseJson } from '@sim2servo/models/json-file';
import { type ControlRequest, controlAnswerSchema, type ServiceState } from '../robot/control-protocol.js';
import { askService } from '../robot/control-socket.js';
import { robotPlaces } from '../robot/robot-places.js';
import { sshShell, sshTargetOf } from './target-shell.js';

/**
 * @param target `user@host[:port]`, or the root folder of an installation on this machine
 * @throws KitError the service's own, E_TARGET_*
 */
export async function tellService(
  target: string,
  request: ControlRequest,
  options: { sshConfig?: string; signal?: AbortSignal } = {},
): Promise<ServiceState> {
  if (target.includes('/') || existsSync(target)) return askService(robotPlaces(target).socket, request);
  const shell = sshShell(sshTargetOf(target, options.sshConfig), () => false, options.signal);
  const { program } = robotPlaces('/');
  const seconds = request.do === 'start' && request.seconds !== undefined ? ` --seconds ${request.seconds}` : '';
  // Its answer says more than its exit code; a program that is missing has none.
  const text =
    await shell.run(`test -x ${program} || { echo "${program} is not installed: kit provision does" >&2; exit 1; }
${program} ctl ${request.do}${seconds} || true`);
  const said = parseJson(text, controlAnswerSchema, `answer of ${target}`);
  if ('answer' in said) return said.answer;
  const { code, message, hint, exit } = said.error;
  throw new KitError(code, message, hint, exit);
}
