import { join } from 'node:path';
import { connect } from '@sim2servo/deploy/targets/connect';
import t from 'tap';
import { RobotFolder } from './bundles.js';
import { contract } from './contract.js';
import { installRobotProgram } from './robot-program.js';
import { noSshd, Sshd } from './sshd.js';

const withSshd = { ...(noSshd !== undefined && { skip: noSshd }) };

t.test('a robot behind OpenSSH', withSshd, async t => {
  contract(t, async folder => {
    const robot = new RobotFolder(join(folder, 'desk'));
    const store = join(folder, 'store');
    const program = installRobotProgram(folder, { store, robot: robot.folder });
    const sshd = await Sshd.start(join(folder, 'ssh'), program.path);
    return {
      store,
      folder: robot,
      connect: () => connect(sshd.target, { sshConfig: sshd.config(), batch: true }),
      sentBytes: () => sshd.proxy.sentBytes,
      // Encryption, sftp's own heads, and the handshake of a connection.
      overhead: { share: 0.02, bytes: 20_000 },
      link: {
        cutAfter: bytes => {
          sshd.proxy.cutAt = sshd.proxy.sentBytes + bytes;
        },
        heals: false,
      },
      killAgent: program.kill,
      stop: () => sshd.stop(),
    };
  });
});
