/** `kit start`: a robot's service lets its current policy drive the arm. */

import { tellService } from '@sim2servo/deploy/provision/tell-service';
import { shortDigest } from '@sim2servo/models/digest';
import type { AddCommand } from '../command-context.js';
import { confirm } from '../io.js';
import { positiveNumber } from '../number-option.js';

export const addStart: AddCommand = (program, context) => {
  program
    .command('start')
    .description('have the service of a robot drive its arm with the policy that was deployed')
    .argument('<robot>', 'user@host[:port], or the folder that a robot is installed in')
    .option('--seconds <n>', 'end after this time; without it, kit stop ends the run', positiveNumber)
    .option('--ssh-config <file>', 'for ssh, instead of ~/.ssh/config')
    .option('-y, --yes', 'the arm is free to move: do not ask')
    .action(async (target: string, flags: { seconds?: number; sshConfig?: string; yes?: boolean }) => {
      const { seconds, sshConfig, yes = false } = flags;
      const ssh = { signal: context.signal, ...(sshConfig !== undefined && { sshConfig }) };
      const before = await tellService(target, { do: 'state' }, ssh);
      const policy = before.policy === undefined ? 'no policy' : `policy ${shortDigest(before.policy)}`;
      await confirm(
        context.io,
        `About to move ${before.robot} at ${target} with ${policy}, ${seconds === undefined ? 'until kit stop' : `for ${seconds} s`}.\nKeep clear of the arm. Nothing here holds it by Ctrl-C: kit stop ${target} does.`,
        yes,
      );
      const state = await tellService(target, { do: 'start', ...(seconds !== undefined && { seconds }) }, ssh);
      context.result(
        state,
        () => `${state.robot} is ${state.motion}, policy ${state.policy?.slice(0, 12)}…\nnext: kit stop ${target}`,
      );
    });
};
