/** `kit stop`: a robot's service has its arm hold, and waits. */
import { tellService } from '@sim2servo/deploy/provision/tell-service';
import type { AddCommand } from '../command-context.js';

export const addStop: AddCommand = (program, context) => {
  program
    .command('stop')
    .description('have the service of a robot hold its arm, and wait')
    .argument('<robot>', 'user@host[:port], or the folder that a robot is installed in')
    .option('--ssh-config <file>', 'for ssh, instead of ~/.ssh/config')
    .action(async (target: string, { sshConfig }: { sshConfig?: string }) => {
      const ssh = { signal: context.signal, ...(sshConfig !== undefined && { sshConfig }) };
      const state = await tellService(target, { do: 'stop' }, ssh);
      context.result(state, () => `${state.robot} is ${state.motion}; the last run: ${state.words}`);
    });
};
